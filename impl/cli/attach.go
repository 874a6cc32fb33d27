package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"bst/impl/config"
	"bst/impl/frontend"
	"bst/impl/stream"
)

// keeper is the strategy whose backend stays: the one that was chosen, or the
// first that does.
func (a *app) keeper(conf *config.Config) (staying, error) {
	s, ok := a.stays(a.strategy(conf).name)
	if !ok {
		return s, &stream.Error{Domain: stream.DomainApp, Reason: "not-available",
			Message: "Sessions cannot be left and come back to on this platform"}
	}
	return s, nil
}

// reachable is a session that can be attached to.
type reachable struct {
	*stream.SessionShown
	open stream.Open
}

// sessions asks every backend that runs for the project in a folder, or where there
// is none every one of the user's, for its sessions.
func (a *app) sessions(keeper staying, directory string) ([]reachable, error) {
	host, err := a.host(keeper.name, directory)
	if err != nil {
		return nil, err
	}
	if !isProject(host.Project) {
		host.Project = ""
	}
	backends, err := keeper.find(a.ctx, host)
	if err != nil {
		return nil, err
	}
	var found []reachable
	for _, open := range backends {
		// One that is gone, or of another version, has nothing to say.
		list, err := a.ask(open, host)
		if err != nil {
			continue
		}
		for _, s := range list {
			found = append(found, reachable{s, open})
		}
	}
	return found, nil
}

// ask asks one backend for its sessions.
func (a *app) ask(open stream.Open, host stream.Host) (list []*stream.SessionShown, err error) {
	s, err := open(a.ctx, host)
	if err != nil {
		return nil, err
	}
	defer s.Close() // the list is all there is to lose
	if err := s.Send(a.ctx, &stream.Sessions{}); err != nil {
		return nil, err
	}
	for {
		events, err := s.Recv(a.ctx)
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		for _, ev := range events {
			if shown, ok := ev.(*stream.SessionShown); ok {
				list = append(list, shown)
			}
		}
	}
}

func (a *app) attachCommand() *cobra.Command {
	var list bool
	cmd := &cobra.Command{
		Use:   "attach [SESSION]",
		Short: "Come back to a session that runs without a terminal",
		Long: "Come back to a session that was left\n\n" +
			"A session is left with `bst build --detach`, or by choosing to detach after\n^C where the backend stays (strategy warm). " +
			"Its log so far is shown, as far as it\nis kept, and the session goes on as if it had not been left. Leaving again,\nor closing the terminal, " +
			"loses nothing. Several may be attached to one session.\n\n" +
			"In a project's folder, the project's sessions are meant, elsewhere all of the\nuser's. Where there are several, they are listed and one must be named.",
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := a.configure()
			if err != nil {
				a.fail(err, "Error loading user configuration: ")
				return nil
			}
			keeper, err := a.keeper(conf)
			if err != nil {
				return err
			}
			directory, err := a.directory()
			if err != nil {
				return err
			}
			found, err := a.sessions(keeper, directory)
			if err != nil {
				return err
			}
			if list {
				return a.listSessions(a.out, found)
			}
			chosen, err := a.choose(found, args)
			if err != nil {
				return err
			}
			keeper.open = chosen.open
			return a.perform(cmd, work{session: chosen.Command, attach: &keeper,
				order: func(common stream.Session, _ formats) (stream.Work, *frontend.ElementFormat, error) {
					return &stream.Attach{Session: common, ID: chosen.ID}, nil, nil
				}})
		},
	}
	addSwitch(cmd.Flags(), &list, "list", "l", "List the sessions, and attach to none")
	return cmd
}

// choose finds the session that is meant.
func (a *app) choose(found []reachable, args []string) (reachable, error) {
	if len(args) > 0 {
		for _, s := range found {
			if s.ID == args[0] {
				return s, nil
			}
		}
	}
	e := &stream.Error{Domain: stream.DomainApp, Reason: "no-such-session"}
	switch {
	case len(found) == 0:
		e.Message = "No session runs that could be attached to"
		e.Detail = "Start one with: bst build --detach"
		return reachable{}, e
	case len(args) == 0 && len(found) == 1:
		return found[0], nil
	case len(args) == 0:
		e.Message, e.Reason = "Several sessions could be attached to: name one", "several-sessions"
	default:
		e.Message = "There is no session '" + args[0] + "'"
	}
	var b strings.Builder
	if err := a.listSessions(&b, found); err != nil {
		return reachable{}, err
	}
	e.Detail = b.String()
	return reachable{}, e
}

// listSessions prints a line for each session.
func (a *app) listSessions(to io.Writer, found []reachable) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, s := range found {
		state := "runs, attached: " + fmt.Sprint(s.Frontends)
		if s.Finished {
			state = "has ended"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\tsince %s\t%s\n", s.ID, strings.Join(append([]string{s.Command}, s.Targets...), " "),
			s.Directory, s.Since.Local().Format("15:04:05"), state)
	}
	return w.Flush()
}
