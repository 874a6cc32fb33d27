package cli

import (
	"bst/impl/frontend"
	"bst/impl/remotespec"
	"bst/impl/stream"

	"github.com/spf13/cobra"
)

// whoseSources is the help on --deps of commands about sources.
func whoseSources(done string) string {
	return "--deps says whose sources are " + done + ":\n\n" +
		"  none:  the element's alone\n" +
		"  run:   those of the element and what it needs to run\n" +
		"  build: those of the build dependencies, without the element\n" +
		"  all:   everything's"
}

func (a *app) trackCommand() *cobra.Command {
	var o struct {
		except []string
		deps   string
		cross  bool
	}
	o.deps = "none"
	cmd := &cobra.Command{
		Use:   "track [ELEMENTS]...",
		Short: "Track new source references",
		Long: "Look for newer versions of sources, and write their refs into the project\n\n" +
			"The refs go into the files of the elements, where nothing else is changed, or\ninto project.refs where the project keeps them there.\n\n" +
			"Without elements, the sources of the project's default targets are tracked,\nor those of all its elements where it has none.\n\n" +
			whoseSources("tracked"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.perform(cmd, work{session: "Track",
				order: func(common stream.Session, f formats) (stream.Work, *frontend.ElementFormat, error) {
					return &stream.Track{Session: common, Targets: args, Except: o.except, Deps: o.deps,
						CrossJunctions: o.cross, PipelineFields: f.element.Fields()}, nil, nil
				}})
		},
	}
	cmd.Flags().Var(&list{&o.except, "PATH"}, "except", "Except certain dependencies from tracking")
	deps(cmd, &o.deps, "The dependencies to track", "none", "build", "run", "all")
	addSwitch(cmd.Flags(), &o.cross, "cross-junctions", "J", "Allow crossing junction boundaries")
	return cmd
}

func (a *app) sourcePushCommand() *cobra.Command {
	var o struct {
		except []string
		deps   string
	}
	o.deps = "none"
	r := remotes{purpose: remotespec.Push}
	cmd := &cobra.Command{
		Use:   "push [ELEMENTS]...",
		Short: "Push sources in a pipeline",
		Long: "Send sources to the source caches that take some, from which others fetch them\n\n" +
			"Those that are not here are fetched first. Without elements, the sources of the\nproject's default targets are pushed, or those of all its elements where it has none.\n\n" +
			whoseSources("pushed"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.perform(cmd, work{session: "Push",
				order: func(common stream.Session, f formats) (stream.Work, *frontend.ElementFormat, error) {
					r.apply(&common)
					return &stream.PushSources{Session: common, Targets: args, Except: o.except, Deps: o.deps,
						PipelineFields: f.element.Fields()}, nil, nil
				}})
		},
	}
	cmd.Flags().Var(&list{&o.except, "PATH"}, "except", "Except certain dependencies from pushing")
	deps(cmd, &o.deps, "The dependencies to push", "none", "build", "run", "all")
	r.add(cmd, false, true)
	return cmd
}

// sourceCheckoutFolder gets sources where no other is named.
const sourceCheckoutFolder = "source-checkout"

func (a *app) sourceCheckoutCommand() *cobra.Command {
	var o struct {
		except                           []string
		deps, tar, compression, location string
		force, scripts                   bool
	}
	o.deps = "none"
	r := remotes{purpose: remotespec.Pull}
	cmd := &cobra.Command{
		Use:   "checkout [ELEMENT]",
		Short: "Checkout sources of an element",
		Long: "Put the sources of an element into a folder or a tarball\n\n" +
			"Each element has a folder of its name there. Without an element, it is the one\nwhose workspace the current folder lies in.\n\n" +
			whoseSources("taken"),
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case o.tar != "" && o.location != "" && o.location != sourceCheckoutFolder:
				a.refuse("ERROR: options --directory and --tar conflict")
				return nil
			case o.compression != "" && o.tar == "":
				a.refuse("ERROR: --compression specified without --tar")
				return nil
			}
			return a.ordered(cmd, func(common stream.Session) (stream.Work, error) {
				var err error
				r.apply(&common)
				order := &stream.CheckoutSources{Session: common, Except: o.except, Deps: o.deps, Force: o.force,
					BuildScripts: o.scripts, Compression: o.compression}
				if len(args) > 0 {
					order.Target = args[0]
				}
				if o.tar != "" {
					order.Tar, err = absolute(o.tar)
					return order, err
				}
				location := o.location
				if location == "" {
					location = sourceCheckoutFolder
				}
				order.Directory, err = absolute(location)
				return order, err
			})
		},
	}
	f := cmd.Flags()
	addSwitch(f, &o.force, "force", "f", "Allow files to be overwritten")
	f.Var(&list{&o.except, "PATH"}, "except", "Except certain dependencies")
	deps(cmd, &o.deps, "The dependencies whose sources to checkout", "build", "none", "run", "all")
	f.Var(&text{&o.tar, "LOCATION"}, "tar", "Create a tarball of the sources instead of a tree")
	f.Var(&choice{&o.compression, []string{"gz", "xz", "bz2"}}, "compression", "The compression of the tarball")
	addSwitch(f, &o.scripts, "include-build-scripts", "", "Add scripts that build the elements without bst")
	f.Var(&folder{&o.location}, "directory", "The directory to checkout the sources to (default: "+sourceCheckoutFolder+")")
	r.add(cmd, false, true)
	return cmd
}
