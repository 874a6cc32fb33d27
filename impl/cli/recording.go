package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"bst/impl/record"
	"bst/impl/record/events"
	"bst/impl/record/profile"
	"bst/impl/term"
)

// recordings are the files of --events and --profile.
type recordings []*record.File

// openRecordings opens the files that the options name. strategy is for their
// headers.
func (a *app) openRecordings(cmd *cobra.Command, w work, strategy string) (list recordings, err error) {
	name := commandName(cmd)
	for _, f := range []struct {
		option, path string
		form         func(io.Writer) record.Format
	}{
		{"events", a.opts.events, func(to io.Writer) record.Format {
			return events.NewWriter(to, events.Header{Program: Version, Start: time.Now(), Command: name, Strategy: strategy})
		}},
		{"profile", a.opts.profile, func(to io.Writer) record.Format {
			return profile.New(to, "bst "+name+", "+strategy)
		}},
	} {
		if f.path == "" {
			continue
		}
		to, err := a.recordTo(cmd, w, f.option, f.path)
		if err != nil {
			return nil, errors.Join(err, list.close())
		}
		list = append(list, record.New("--"+f.option+" "+f.path, to, f.form))
	}
	return list, nil
}

// recordTo opens a file to record in; "-" is the standard output, where nothing
// else writes to it.
func (a *app) recordTo(cmd *cobra.Command, w work, option, path string) (io.WriteCloser, error) {
	if path == "-" {
		if w.session == "" {
			return nil, misuse(cmd.Root(), "Invalid value for '--%s': '-' would mix with the standard output of 'bst %s'.", option, commandName(cmd))
		}
		return unclosed{a.out}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, misuse(cmd.Root(), "Invalid value for '--%s': '%s': %s", option, path, plainReason(err))
	}
	return f, nil
}

// unclosed is a stream that stays open.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// close ends all files, the session having ended in whatever way.
func (r recordings) close() error {
	var errs []error
	for _, f := range r {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// endRecordings ends the files. Whoever asked for one must not take half of it
// for the whole: a session that succeeded fails with them.
func (a *app) endRecordings(r recordings) {
	err := r.close()
	switch {
	case err == nil:
	case term.IsClosed(err) && a.opts.events == "-":
		// Nobody reads the standard output any more: as for every command.
		if a.status == statusOK {
			a.status = 1
		}
	case a.status == statusOK:
		a.fail(fmt.Errorf("error recording the session: %w", err), "")
	default:
		fmt.Fprintf(a.err, "\nThe session could not be recorded: %s\n", err)
	}
}

// plainReason is an error of a file without the file's name.
func plainReason(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
