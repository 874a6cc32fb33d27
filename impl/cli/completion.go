package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bst/impl/stream"
)

// completionPatience bounds how long a person waits for an answer.
const completionPatience = 2 * time.Second

// completionVariable is the reference's protocol, which scripts of its
// installations speak: what stands before the cursor is in COMP_WORDS, a word a
// line, and COMP_CWORD counts up to the word that is being typed.
const completionVariable = "_BST_COMPLETION"

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a script that completes bst's commands in a shell",
		Long: "Print a script that completes bst's commands, options and elements in a shell\n\n" +
			"  bash: source <(bst completion bash)     in ~/.bashrc; needs bash-completion\n" +
			"  zsh:  source <(bst completion zsh)      in ~/.zshrc, after compinit\n" +
			"  fish: bst completion fish | source      in ~/.config/fish/config.fish",
		Args:      atMost(1),
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return missingArgument("SHELL")
			}
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(a.out, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(a.out)
			case "fish":
				return cmd.Root().GenFishCompletion(a.out, true)
			}
			return misuse(cmd, "Invalid value for 'SHELL': '%s' is not one of 'bash', 'zsh', 'fish'.", args[0])
		},
	}
}

// completer gives the words that an argument may be, and what the shell does
// with them.
type completer = cobra.CompletionFunc

// addCompletions tells of every option and argument what it may be.
func (a *app) addCompletions(root *cobra.Command) {
	for _, cmd := range everyCommand(root) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if complete := a.optionWords(f); complete != nil && f.NoOptDefVal == "" {
				// The one error is that it was done before.
				cobra.CheckErr(cmd.RegisterFlagCompletionFunc(f.Name, complete))
			}
		})
		if len(cmd.ValidArgs) == 0 {
			cmd.ValidArgsFunction = a.argumentWords(cmd)
		}
	}
}

// optionWords completes an option's value; nil leaves it to the shell, which
// offers files.
func (a *app) optionWords(f *pflag.Flag) completer {
	switch v := f.Value.(type) {
	case *choice:
		return cobra.FixedCompletions(v.words, cobra.ShellCompDirectiveNoFileComp)
	case *folder:
		return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
	case *number:
		return cobra.NoFileCompletions
	}
	switch kind := f.Value.Type(); {
	case f.Name == "except":
		return a.elementWords(false)
	case kind == optionValue:
		return a.projectOptions
	case kind == "REMOTE", kind == "TEXT", kind == "FORMAT":
		return cobra.NoFileCompletions
	}
	return nil
}

// argumentWords completes a command's arguments by what its usage calls them; nil
// leaves them to the shell.
func (a *app) argumentWords(cmd *cobra.Command) completer {
	_, usage, _ := strings.Cut(cmd.Use, " ")
	artifacts := strings.HasPrefix(commandName(cmd), "artifact ")
	switch {
	case cmd.HasSubCommands():
		return nil // cobra offers them
	case usage == "":
		return cobra.NoFileCompletions
	case strings.HasPrefix(usage, "[ELEMENT"), strings.HasPrefix(usage, "ELEMENT"),
		strings.HasPrefix(usage, "[ARTIFACT"), strings.HasPrefix(usage, "ARTIFACT"):
		words := a.elementWords(artifacts)
		if strings.Contains(usage, "...") {
			return words
		}
		return first(words, cobra.ShellCompDirectiveNoFileComp)
	case strings.HasPrefix(usage, "[TARGET]"):
		rest := cobra.ShellCompDirectiveNoFileComp
		if strings.Contains(usage, "COMMAND") {
			rest = cobra.ShellCompDirectiveDefault
		}
		return first(a.elementWords(artifacts), rest)
	case strings.HasPrefix(usage, "[COMMAND]"):
		return commandWords
	}
	return nil
}

// first completes the first argument alone.
func first(words completer, rest cobra.ShellCompDirective) completer {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, rest
		}
		return words(cmd, args, word)
	}
}

// commandWords completes the names of commands, for help.
func commandWords(cmd *cobra.Command, args []string, _ string) (words []string, _ cobra.ShellCompDirective) {
	at := cmd.Root()
	for _, name := range args {
		if at = child(at, name); at == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
	}
	for _, sub := range at.Commands() {
		if sub.IsAvailableCommand() {
			words = append(words, sub.Name()+"\t"+sub.Short)
		}
	}
	if len(args) == 0 {
		for i := range topics {
			words = append(words, topics[i].name+"\t"+topics[i].title)
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// elementWords completes elements, and artifacts' names where a command takes
// them. The backend is asked, as for everything else.
func (a *app) elementWords(artifacts bool) completer {
	return func(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return a.offer(&stream.Complete{Word: word, Artifacts: artifacts})
	}
}

// projectOptions completes the two arguments of --option: an option's name, and
// behind it a value. splice has joined them, where both have begun.
func (a *app) projectOptions(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	if name, value, ok := strings.Cut(word, joint); ok {
		return a.offer(&stream.Complete{Word: value, Options: true, Option: name})
	}
	return a.offer(&stream.Complete{Word: word, Options: true})
}

func (a *app) offer(o *stream.Complete) ([]string, cobra.ShellCompDirective) {
	words, err := a.askWords(o)
	if err != nil {
		cobra.CompError(err.Error() + "\n")
		return nil, cobra.ShellCompDirectiveError
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	for _, w := range words {
		if goesOn(w) {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
	}
	return words, directive
}

// goesOn says that a word is the begin of others.
func goesOn(word string) bool { return strings.HasSuffix(word, "/") || strings.HasSuffix(word, ":") }

func (a *app) askWords(o *stream.Complete) ([]string, error) {
	conf, err := a.configure()
	if err != nil {
		return nil, err
	}
	directory, err := a.directory()
	if err != nil {
		return nil, err
	}
	to, err := a.lookup(a.strategy(conf).name)
	if err != nil {
		return nil, err
	}
	host, err := a.host(to.name, directory)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(a.ctx, completionPatience)
	defer cancel()
	s, err := to.open(ctx, host)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	o.Session = stream.Session{Directory: directory, Strategy: to.name, Settings: conf.Settings}
	if err := s.Send(ctx, o); err != nil {
		return nil, err
	}
	var words []string
	for {
		events, err := s.Recv(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			switch e := e.(type) {
			case *stream.Completed:
				words = append(words, e.Words...)
			case *stream.Finished:
				if e.Error != nil {
					return nil, e.Error
				}
				return words, nil
			}
		}
	}
}

// referenceCompletion answers in the reference's protocol: a word a line, and a
// blank behind those that are whole.
func (a *app) referenceCompletion() error {
	typed := strings.Split(a.getenv("COMP_WORDS"), "\n")
	n, err := strconv.Atoi(a.getenv("COMP_CWORD"))
	if err != nil || n < 1 || n > len(typed) {
		return errors.New(completionVariable + " needs COMP_WORDS, a word a line, and COMP_CWORD, the number of the word that is typed")
	}
	word := ""
	if n < len(typed) {
		word = typed[n]
	}
	out := a.out
	var answer bytes.Buffer
	a.out = &answer
	a.execute(append(append([]string{cobra.ShellCompNoDescRequestCmd}, typed[1:n]...), word))
	a.out = out
	for line := range strings.Lines(answer.String()) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, ":") {
			break // cobra's directive
		}
		if !goesOn(line) {
			line += " "
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}

// isCompletion says that a shell asks, and not a person.
func isCompletion(args []string) bool {
	return len(args) > 1 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}
