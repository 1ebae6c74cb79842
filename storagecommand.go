package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/pflag"

	"regain/internal/backup"
	"regain/internal/config"
)

// stdio is the name of a file that is the standard input or output.
const stdio = "-"

// runBackup copies the file store.
func runBackup(ctx context.Context, args []string, out io.Writer) error {
	flags := pflag.NewFlagSet("backup", pflag.ContinueOnError)
	file := flags.String("config", "", "configuration file (YAML)")
	if err := parse(flags, args, 1); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errUsage
	}
	c, err := storageOf("backup", *file)
	if err != nil {
		return err
	}
	return c.Copy(ctx, flags.Arg(0), out)
}

// storageCommand is what `regain storage` was called with.
type storageCommand struct {
	backup.Command
	flags  *pflag.FlagSet
	out    io.Writer
	asJSON bool
	dry    bool
}

func runStorage(ctx context.Context, args []string, out io.Writer) error {
	c := storageCommand{flags: pflag.NewFlagSet("storage", pflag.ContinueOnError), out: out}
	file := c.flags.String("config", "", "configuration file (YAML)")
	c.flags.BoolVar(&c.asJSON, "json", false, "status: print JSON")
	c.flags.BoolVar(&c.dry, "dry-run", false, "migrate: say what would be done, and do nothing")
	if err := parse(c.flags, args, len(args)); err != nil {
		return err
	}
	do, known := map[string]func(context.Context) error{"status": c.status, "migrate": c.migrate, "export": c.export, "import": c.load}[c.flags.Arg(0)]
	least := map[string]int{"export": 2, "import": 2}[c.flags.Arg(0)]
	most := max(least, map[string]int{"status": 2, "migrate": 1}[c.flags.Arg(0)])
	if n := c.flags.NArg(); !known || n < least || n > most {
		return errUsage
	}
	var err error
	if c.Command, err = storageOf("storage "+c.flags.Arg(0), *file); err != nil {
		return err
	}
	end := c.showProgress()
	defer end()
	return do(ctx)
}

// storageOf reads the configuration of a command.
func storageOf(name, file string) (backup.Command, error) {
	if file == "" {
		return backup.Command{}, fmt.Errorf("%s: give --config: %w", name, errUsage)
	}
	cfg := config.Defaults()
	if err := config.Load(config.Source{File: file, Environ: os.Environ, Renamed: config.Renamed()}, &cfg); err != nil {
		return backup.Command{}, err
	}
	return backup.New(cfg)
}

func (c *storageCommand) status(ctx context.Context) error {
	at := c.Command
	if copied := c.flags.Arg(1); copied != "" {
		at = at.Look(copied)
	}
	s, err := at.Status(ctx)
	if err != nil {
		return err
	}
	if c.asJSON {
		return s.JSON(c.out)
	}
	return s.Text(c.out)
}

func (c *storageCommand) migrate(ctx context.Context) error { return c.Migrate(ctx, c.dry, c.out) }

func (c *storageCommand) export(ctx context.Context) error {
	to := c.flags.Arg(1)
	if to == stdio {
		if isTerminal(os.Stdout) {
			return errors.New("storage export: the standard output is a terminal: name a file, or pass it on")
		}
		_, err := c.Export(ctx, c.out)
		return err
	}
	n, err := c.ExportFile(ctx, to)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "ok: %d records and counters are in %s. What nodes write from now on is not: stop them first to move a store\n", n, to)
	return err
}

func (c *storageCommand) load(ctx context.Context) error {
	var done backup.Imported
	var err error
	if from := c.flags.Arg(1); from == stdio {
		done, err = c.Import(ctx, os.Stdin)
	} else {
		done, err = c.ImportFile(ctx, from)
	}
	if err != nil {
		return err
	}
	return done.Text(c.out)
}

// showProgress shows the progress where a person looks, and returns what ends it.
func (c *storageCommand) showProgress() (end func()) {
	if !isTerminal(os.Stderr) {
		return func() {}
	}
	const often = 200 * time.Millisecond
	var last time.Time
	c.Progress = func(n int) {
		if now := time.Now(); now.Sub(last) >= often {
			last = now
			fmt.Fprintf(os.Stderr, "\r%d records and counters", n)
		}
	}
	return func() {
		if !last.IsZero() {
			fmt.Fprint(os.Stderr, "\r\x1b[K")
		}
	}
}

// isTerminal reports whether a person looks at a file.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Mode()&fs.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
