package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/internal/config"
	"regain/internal/keep"
	"regain/internal/node"
	"regain/internal/plan"
	"regain/recovery/chain"
)

// auditCommand is what `regain audit` was called with.
type auditCommand struct {
	file     string // the configuration
	keyFiles []string
	secret   config.Secret
	head     string
	from     []uint
	json     bool
	flags    *pflag.FlagSet
	out      io.Writer
}

func runAudit(ctx context.Context, args []string, out io.Writer) error {
	c := auditCommand{flags: pflag.NewFlagSet("audit", pflag.ContinueOnError), out: out}
	c.flags.StringVar(&c.file, "config", "", "configuration file (YAML): its audit.file and audit.key")
	c.flags.StringArrayVar(&c.keyFiles, "key-file", nil, "in place of --config: `file` with the key of the log's chain; verify: again for each further key of several logs")
	c.flags.StringVar(&c.secret.Env, "key-env", "", "in place of --config: `variable` with the key of the log's chain")
	c.flags.StringVar(&c.head, "head", "", "verify: `file` with a head that was kept elsewhere, or - for the standard input")
	c.flags.UintSliceVar(&c.from, "from", nil, "verify: first `segment` that must be there, where older ones were deleted on purpose; of several logs one for each")
	c.flags.BoolVar(&c.json, "json", false, "verify: print the outcome as JSON")
	if err := parse(c.flags, args, len(args)); err != nil {
		return err
	}
	if len(c.keyFiles) > 0 {
		c.secret.File = c.keyFiles[0]
	}
	most := map[string]int{"verify": -1, "head": 2, "rotate": 2, "begin": 1, "prune": 1}
	if n, known := most[c.flags.Arg(0)]; !known || n > 0 && c.flags.NArg() > n {
		return errUsage
	}
	signal.Ignore(syscall.SIGHUP) // another `audit rotate` sends it to whoever holds the log
	switch c.flags.Arg(0) {
	case "begin":
		return c.begin()
	case "prune":
		return c.prune(ctx)
	}
	options, err := c.options()
	if err != nil {
		return err
	}
	switch c.flags.Arg(0) {
	case "verify":
		return c.verify(options)
	case "head":
		head, err := segments.ReadHead(options.Path, options.Key)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(out, options.Key.EncodeHead(head))
		return err
	}
	head, err := auditlog.RotateFile(ctx, options)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "ok: segment %d carries on after record %d\n", head.Segment, head.Seq)
	return err
}

// options returns where the log is, and its key: from the configuration, or from the command line.
func (c auditCommand) options() (options auditlog.Options, err error) {
	switch {
	case c.file != "" && !c.secret.IsZero():
		return options, errors.New("give --config, or one of --key-file and --key-env")
	case c.file != "":
		cfg := config.Defaults()
		if err := config.Load(config.Source{File: c.file, Environ: os.Environ, Renamed: config.Renamed()}, &cfg); err != nil {
			return options, err
		}
		if options, err = keep.AuditOptions(cfg.Audit); err != nil {
			return options, err
		}
	case !c.secret.IsZero():
		if options.Key, err = plan.ReadAuditKey(c.secret, "the key of the audit log"); err != nil {
			return options, err
		}
	default:
		return options, fmt.Errorf("the key of the audit log: give --config, --key-file or --key-env: %w", errUsage)
	}
	if c.flags.NArg() > 1 {
		options.Path = c.flags.Arg(1)
	}
	if options.Path == "" {
		return options, errUsage
	}
	return options, nil
}

func readHead(path string, key chain.Key) (chain.Head, error) {
	var text []byte
	var err error
	if path == "-" {
		text, err = io.ReadAll(os.Stdin)
	} else {
		text, err = os.ReadFile(path) //nolint:gosec // the caller chooses the file
	}
	if err != nil {
		return chain.Head{}, err
	}
	return segments.ParseHead(string(text), key)
}

// prune removes the segments that were kept long enough.
func (c auditCommand) prune(ctx context.Context) error {
	if c.file == "" {
		return fmt.Errorf("prune: give --config: %w", errUsage)
	}
	cfg := config.Defaults()
	if err := config.Load(config.Source{File: c.file, Environ: os.Environ, Renamed: config.Renamed()}, &cfg); err != nil {
		return err
	}
	options, err := keep.AuditOptions(cfg.Audit)
	if err != nil {
		return err
	}
	keep, err := keep.AuditKeep(cfg.Audit)
	if err != nil {
		return err
	}
	if keep == 0 {
		return errors.New("prune: everything is kept: set audit.keep_days")
	}
	p, err := auditlog.PruneFile(ctx, options, keep)
	switch {
	case errors.Is(err, auditlog.ErrAsked):
		_, err = fmt.Fprintln(c.out, "ok: "+err.Error())
	case err != nil:
	case p.Last == 0:
		_, err = fmt.Fprintf(c.out, "ok: no segment is older than %d days\n", cfg.Audit.KeepDays)
	default:
		_, err = fmt.Fprintf(c.out, "ok: segments %d to %d, with records up to %d, were removed: verify with --from %d\n", p.First, p.Last, p.Records, p.Last+1)
	}
	return err
}

func (c auditCommand) begin() error {
	if c.file == "" {
		return fmt.Errorf("begin: give --config: %w", errUsage)
	}
	cfg := config.Defaults()
	if err := config.Load(config.Source{File: c.file, Environ: os.Environ, Renamed: config.Renamed()}, &cfg); err != nil {
		return err
	}
	if err := node.BeginAudit(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.out, "ok: the audit log goes on in a new segment, whose first line says that it was begun after a loss")
	return err
}
