package cli

import (
	"github.com/spf13/cobra"

	"bst/impl/frontend"
	"bst/impl/remotespec"
	"bst/impl/stream"
)

// artifactTargets is the help on what commands about artifacts take.
const artifactTargets = "An artifact is named by its element, or as <project>/<element>/<cache key>. In a\n" +
	"name '?' stands for a character, '*' for any but '/', and '**' for any at all:\n" +
	"with '.bst' at the end for elements of the project, otherwise for artifacts that\nare cached here."

func (a *app) artifactShow() *cobra.Command {
	o := struct{ deps string }{"none"}
	r := remotes{purpose: remotespec.Pull}
	cmd := &cobra.Command{
		Use:   "show [ARTIFACTS]...",
		Short: "Show the cached state of artifacts",
		Long:  "Show the cached state of artifacts\n\n" + artifactTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ordered(cmd, func(common stream.Session) (stream.Work, error) {
				r.apply(&common)
				return &stream.ShowArtifacts{Session: common, Targets: args, Deps: o.deps}, nil
			})
		},
	}
	deps(cmd, &o.deps, "The dependencies we also want to show", "build", "run", "all", "none")
	r.add(cmd, true, false)
	return cmd
}

// transfer is what pull and push are: commands about artifacts and servers.
func (a *app) transfer(purpose remotespec.Purpose, use, short, long, session string,
	make func(common stream.Session, targets []string, deps string, fields []string) stream.Work) *cobra.Command {
	o := struct{ deps string }{"none"}
	r := remotes{purpose: purpose}
	cmd := &cobra.Command{Use: use, Short: short,
		Long: long + "\n\nWithout artifacts, it is those of the project's default targets, or of all its\nelements where it has none.\n\n" + artifactTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.perform(cmd, work{session: session,
				order: func(common stream.Session, f formats) (stream.Work, *frontend.ElementFormat, error) {
					r.apply(&common)
					return make(common, args, o.deps, f.element.Fields()), nil, nil
				}})
		},
	}
	deps(cmd, &o.deps, "The dependencies too", "build", "none", "run", "all")
	r.add(cmd, true, false)
	return cmd
}

func (a *app) artifactPull() *cobra.Command {
	return a.transfer(remotespec.Pull, "pull [ARTIFACTS]...", "Pull a built artifact", "Pull a built artifact from the configured remote artifact cache", "Pull",
		func(common stream.Session, targets []string, deps string, fields []string) stream.Work {
			return &stream.Pull{Session: common, Targets: targets, Deps: deps, PipelineFields: fields}
		})
}

func (a *app) artifactPush() *cobra.Command {
	return a.transfer(remotespec.Push, "push [ARTIFACTS]...", "Push a built artifact",
		"Push built artifacts to a remote artifact cache, after pulling what is there already", "Push",
		func(common stream.Session, targets []string, deps string, fields []string) stream.Work {
			return &stream.Push{Session: common, Targets: targets, Deps: deps, PipelineFields: fields}
		})
}

func (a *app) artifactLog() *cobra.Command {
	var o struct{ out string }
	cmd := &cobra.Command{
		Use:   "log [ARTIFACTS]...",
		Short: "Show logs of artifacts",
		Long:  "Show build logs of artifacts\n\n" + artifactTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ordered(cmd, func(common stream.Session) (stream.Work, error) {
				order := &stream.ArtifactLogs{Session: common, Targets: args}
				if o.out != "" {
					var err error
					if order.Out, err = absolute(o.out); err != nil {
						return nil, err
					}
				}
				return order, nil
			})
		},
	}
	cmd.Flags().Var(&text{&o.out, "PATH"}, "out", "Write each log to a file in this new directory, and not to the standard output")
	return cmd
}

func (a *app) artifactContents() *cobra.Command {
	var o struct{ long bool }
	cmd := &cobra.Command{
		Use:   "list-contents [ARTIFACTS]...",
		Short: "List the contents of an artifact",
		Long:  "List the contents of an artifact\n\n" + artifactTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.perform(cmd, work{contents: true,
				order: func(common stream.Session, _ formats) (stream.Work, *frontend.ElementFormat, error) {
					return &stream.ListContents{Session: common, Targets: args, Long: o.long}, nil, nil
				}})
		},
	}
	addSwitch(cmd.Flags(), &o.long, "long", "l", "Provide more information about the contents of the artifact")
	return cmd
}

func (a *app) artifactDelete() *cobra.Command {
	o := struct{ deps string }{"none"}
	cmd := &cobra.Command{
		Use:   "delete [ARTIFACTS]...",
		Short: "Remove artifacts from the local cache",
		Long:  "Remove artifacts from the local cache\n\n" + artifactTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ordered(cmd, func(common stream.Session) (stream.Work, error) {
				return &stream.DeleteArtifacts{Session: common, Targets: args, Deps: o.deps}, nil
			})
		},
	}
	deps(cmd, &o.deps, "The dependencies to delete", "none", "run", "build", "all")
	return cmd
}
