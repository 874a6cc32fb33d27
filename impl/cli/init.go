package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"bst/impl/newproject"
	"bst/impl/stream"
	"bst/impl/term"

	"github.com/spf13/cobra"
)

func (a *app) initCommand() *cobra.Command {
	p := newproject.Project{MinVersion: newproject.DefaultMinVersion, ElementPath: newproject.DefaultElementPath}
	cmd := &cobra.Command{
		Use:   "init [TARGET_DIRECTORY]",
		Short: "Initialize a new BuildStream project",
		Long: "Make a new project: project.conf and the folder of its elements\n\n" +
			"Without --project-name, the values are asked for on the terminal.",
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			directory, err := a.directory()
			if err == nil && len(args) > 0 {
				directory, err = absolute(args[0])
			}
			if err != nil {
				return err
			}
			p.Directory = directory
			if a.opts.directory != "" {
				return &stream.Error{Domain: stream.DomainApp, Reason: "init-with-set-directory",
					Message: "Attempted to use -C or --directory with init.",
					Detail:  fmt.Sprintf("Please use 'bst init %s' instead.", directory)}
			}
			if err := p.CheckFree(); err != nil {
				return err
			}
			if p.Name == "" {
				if again, err := a.interview(&p); err != nil || !again {
					return err
				}
			}
			return a.ordered(cmd, func(common stream.Session) (stream.Work, error) {
				return &stream.Init{Session: common, Directory: p.Directory, Name: p.Name, MinVersion: p.MinVersion,
					ElementPath: p.ElementPath, Force: p.Force}, nil
			})
		},
	}
	f := cmd.Flags()
	f.Var(&text{&p.Name, "TEXT"}, "project-name", "The project name to use")
	f.Var(&text{&p.MinVersion, "TEXT"}, "min-version", "The required version of BuildStream (default: "+newproject.DefaultMinVersion+")")
	f.Var(&text{&p.ElementPath, "PATH"}, "element-path", "The subdirectory to store elements in (default: "+newproject.DefaultElementPath+")")
	addSwitch(f, &p.Force, "force", "f", "Allow overwriting an existing project.conf")
	return cmd
}

// interview asks for what a new project is to be. It is false where the person left.
func (a *app) interview(p *newproject.Project) (bool, error) {
	console := term.Open(a.in, a.out, a.err)
	defer console.Close()
	if !console.Terminal || a.opts.noInteractive {
		return false, &stream.Error{Domain: stream.DomainApp, Reason: "unspecified-project-name",
			Message: "Cannot initialize a new project without specifying the project name"}
	}
	ctx, stop := term.Terminated(a.ctx)
	defer stop()
	for _, question := range []struct {
		about, prompt, def string
		check              func(string) error
		answer             *string
	}{
		{"Choose a unique name for your project\n" +
			"-------------------------------------\n\n" +
			"  It tells the project from all others: in user configurations, in the names of\n" +
			"  its artifacts in shared caches, and in logs.\n\n" +
			"  It consists of letters, digits, dashes and underscores, and does not begin\n" +
			"  with a digit.", "Project name", "", newproject.CheckName, &p.Name},
		{"Select the minimum required BuildStream version for your project\n" +
			"----------------------------------------------------------------\n\n" +
			"  Those who build the project with an older one are told so, instead of errors\n" +
			"  about what that does not know.\n\n" +
			fmt.Sprintf("  The lowest version allowed is %d.0; the format that this bst knows is %d.%d.",
				newproject.Major, newproject.Major, newproject.Minor), "Minimum version", p.MinVersion, newproject.CheckMinVersion, &p.MinVersion},
		{"Select the element path\n" +
			"-----------------------\n\n" +
			"  It is the folder of the project that its elements lie in. They are named, in\n" +
			"  dependencies and in logs, by their place in that folder.", "Element path", p.ElementPath, newproject.CheckElementPath, &p.ElementPath},
	} {
		fmt.Fprintf(a.err, "\n%s\n\n", question.about)
		answer, err := a.prompt(ctx, console, question.prompt, question.def, question.check)
		if errors.Is(err, io.EOF) || errors.Is(err, term.ErrCancelled) {
			fmt.Fprintln(a.err, "\nAborted!")
			a.status = 1
			a.failed = &stream.Error{Domain: stream.DomainApp, Message: "Aborted!"}
			return false, nil
		}
		if err != nil {
			return false, err
		}
		*question.answer = answer
	}
	return true, nil
}

// prompt asks until the answer is right; an empty one stands for the default.
func (a *app) prompt(ctx context.Context, console *term.Console, text, def string, check func(string) error) (string, error) {
	if def != "" {
		text += " [" + def + "]"
	}
	for {
		fmt.Fprint(a.err, text+": ")
		answer, err := console.ReadLine(ctx)
		if err != nil {
			return "", err
		}
		if answer == "" {
			if answer = def; answer == "" {
				continue
			}
		}
		err = check(answer)
		if err == nil {
			return answer, nil
		}
		e := asError(err)
		fmt.Fprintln(a.err, strings.TrimSpace("Error: "+e.Message+"\n"+e.Detail))
	}
}
