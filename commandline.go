package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"regain/internal/config"
)

// parse parses a command's flags and refuses what is left over beyond its wanted arguments: `regain serve regain.yaml`
// would otherwise start a development instance, and whoever typed it would take it for their own.
func parse(flags *pflag.FlagSet, args []string, wanted int) error {
	if synopsis := synopsisOf(flags.Name()); synopsis != "" && flags.Usage == nil {
		flags.Usage = func() { fmt.Fprintf(os.Stderr, "%s\n%s", synopsis, flags.FlagUsages()) }
	}
	if err := flags.Parse(args); err != nil {
		var unknown *pflag.NotExistError
		if !errors.As(err, &unknown) {
			return err
		}
		if near := nearestFlag(flags, unknown.GetSpecifiedName()); near != "" {
			return usageError{fmt.Errorf("%s: %w: did you mean --%s?", flags.Name(), err, near)}
		}
		return usageError{fmt.Errorf("%s: %w: see `regain %s --help`", flags.Name(), err, flags.Name())}
	}
	if err := emptyFlag(flags); err != nil {
		return err
	}
	if flags.NArg() > wanted {
		extra := flags.Arg(wanted)
		return usageError{fmt.Errorf("%s: unexpected argument %q: %s", flags.Name(), extra, cureOf(flags, extra))}
	}
	return nil
}

// emptyFlag refuses a flag that was given an empty text: `--config "$FILE"` of a variable that is not set would start a
// development instance, and `audit verify --head "$HEAD"` would compare with no head.
func emptyFlag(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" {
			err = usageError{fmt.Errorf("%s: --%s is empty: give it a value, or leave it out", flags.Name(), f.Name)}
		}
	})
	return err
}

// cureOf says what an unexpected argument was perhaps meant as.
func cureOf(flags *pflag.FlagSet, argument string) string {
	if near := nearestFlag(flags, argument); near != "" {
		return "did you mean --" + near + "?"
	}
	if flags.Lookup("config") != nil && !flags.Changed("config") {
		return "did you mean --config " + argument + "?"
	}
	return "see `regain " + flags.Name() + " --help`"
}

func nearestFlag(flags *pflag.FlagSet, name string) string {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return config.Nearest(strings.TrimLeft(name, "-"), names)
}

// unknownCommand names the command that was perhaps meant.
func unknownCommand(name string) error {
	if near := config.Nearest(name, commands()); near != "" {
		return usageError{fmt.Errorf("unknown command %q: did you mean `regain %s`?", name, near)}
	}
	return fmt.Errorf("%q: %w", name, errUsage)
}

// commands returns the names of all commands that usage lists.
func commands() []string {
	var names []string
	for line := range strings.Lines(usage) {
		if rest, ok := strings.CutPrefix(line, "  regain "); ok {
			names = append(names, strings.Fields(rest)[0])
		}
	}
	return slices.Compact(names)
}

// synopsisOf returns what usage says of a command, "" if it does not list it: a list of flags does not say which arguments there
// are, nor which commands below it.
func synopsisOf(name string) string {
	command, _, _ := strings.Cut(name, " ")
	var of strings.Builder
	listed := false
	for line := range strings.Lines(usage) {
		if rest, ok := strings.CutPrefix(line, "  regain "); ok {
			listed = strings.Fields(rest)[0] == command
		} else if !strings.HasPrefix(line, "   ") {
			listed = false
		}
		if listed {
			of.WriteString(line)
		}
	}
	return of.String()
}

// usageError is a mistake on the command line: it ends the program as errUsage does, in words of its own.
type usageError struct{ error }

func (usageError) Is(target error) bool { return target == errUsage }
func (e usageError) Unwrap() error      { return e.error }
