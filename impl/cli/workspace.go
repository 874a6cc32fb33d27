package cli

import (
	"bst/impl/frontend"
	"bst/impl/remotespec"
	"bst/impl/stream"

	"github.com/spf13/cobra"
)

func (a *app) workspaceCommand() *cobra.Command {
	group := &cobra.Command{Use: "workspace", Short: "Manipulate developer workspaces",
		Long: "Manipulate developer workspaces\n\n" +
			"A workspace is a folder with an element's sources that takes their place in\nbuilds, so that changes can be tried before they are committed.",
		RunE: a.group}
	group.AddCommand(a.workspaceOpen(), a.workspaceClose(), a.workspaceReset(), a.workspaceList())
	return group
}

// ordered performs an order that needs nothing of the formats.
func (a *app) ordered(cmd *cobra.Command, make func(stream.Session) (stream.Work, error)) error {
	return a.perform(cmd, work{order: func(common stream.Session, _ formats) (stream.Work, *frontend.ElementFormat, error) {
		order, err := make(common)
		return order, nil, err
	}})
}

func (a *app) workspaceOpen() *cobra.Command {
	var o struct {
		bare, force bool
		directory   string
	}
	r := remotes{purpose: remotespec.Pull}
	cmd := &cobra.Command{
		Use:   "open ELEMENTS...",
		Short: "Open a new workspace",
		Long: "Open a workspace for manual source modification\n\n" +
			"The sources are put into a folder named by the element, in the current one or\nthe configured workspacedir.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misuse(cmd, "Missing argument 'ELEMENTS...'.")
			}
			return a.ordered(cmd, func(common stream.Session) (stream.Work, error) {
				var err error
				r.apply(&common)
				order := &stream.OpenWorkspaces{Targets: args, NoCheckout: o.bare, Force: o.force}
				if o.directory != "" {
					if order.Directory, err = absolute(o.directory); err != nil {
						return nil, err
					}
				}
				// The backend may have another current folder.
				common.Settings.WorkspaceDir, err = absolute(common.Settings.WorkspaceDir)
				order.Session = common
				return order, err
			})
		},
	}
	addSwitch(cmd.Flags(), &o.bare, "no-checkout", "", "Do not checkout the source, only link to the given directory")
	addSwitch(cmd.Flags(), &o.force, "force", "f", "Replace what is in the directory, and a workspace that the element has")
	cmd.Flags().Var(&folder{&o.directory}, "directory", "The directory to use, for a single element")
	r.add(cmd, false, true)
	return cmd
}

func (a *app) workspaceClose() *cobra.Command {
	var o struct{ remove, all bool }
	cmd := &cobra.Command{
		Use:   "close [ELEMENTS]...",
		Short: "Close workspaces",
		Long:  "Close workspaces\n\nWithout elements, the one whose workspace the current folder lies in is closed.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ordered(cmd, func(common stream.Session) (stream.Work, error) {
				return &stream.CloseWorkspaces{Session: common, Targets: args, All: o.all, RemoveDirectory: o.remove}, nil
			})
		},
	}
	addSwitch(cmd.Flags(), &o.remove, "remove-dir", "", "Remove the directory of the closed workspace and all in it")
	addSwitch(cmd.Flags(), &o.all, "all", "a", "Close all open workspaces")
	return cmd
}

func (a *app) workspaceReset() *cobra.Command {
	var o struct{ soft, all bool }
	cmd := &cobra.Command{
		Use:   "reset [ELEMENTS]...",
		Short: "Reset a workspace to its original state",
		Long: "Reset a workspace to its original state\n\n" +
			"All changes in it are lost. Name elements or use --all, not both; without, it\nis the workspace that the current folder lies in.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ordered(cmd, func(common stream.Session) (stream.Work, error) {
				return &stream.ResetWorkspaces{Session: common, Targets: args, All: o.all, Soft: o.soft}, nil
			})
		},
	}
	addSwitch(cmd.Flags(), &o.soft, "soft", "", "Change no files, and only forget the last build")
	addSwitch(cmd.Flags(), &o.all, "all", "a", "Reset all open workspaces")
	return cmd
}

func (a *app) workspaceList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List open workspaces",
		Long:  "List open workspaces, as YAML",
		Args:  atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.ordered(cmd, func(common stream.Session) (stream.Work, error) {
				return &stream.ListWorkspaces{Session: common}, nil
			})
		},
	}
}
