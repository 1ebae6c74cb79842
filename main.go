// Command regain is an identity provider for account recovery. See README.md, and `regain help`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"regain/conformance/crash"
	"regain/conformance/demo"
	"regain/conformance/load"
	"regain/conformance/oidf"
	"regain/internal/config"
	"regain/internal/node"
	"regain/provider/diagnosis"
)

const usage = `Regain recovers accounts: a main IdP sends a person who has lost every sign-in method, Regain asks their
wallet for a Verified ID and a Face Check, and a success returns a Temporary Access Pass.

  regain demo              start everything on this machine (main IdP, Regain, proofing provider, wallet) and print where to click
  regain demo --drive      walk the journeys without a browser; exits 0 only if all end as expected; --store mongo has two nodes
  regain serve             run one node (with no configuration: a safe development instance)
  regain check             check a configuration and say what is wrong with it
  regain diagnose ID [LOG …] tell what happened in a recovery, by the reference on an error page or in a wallet's response: what was
                           requested, what was received, which check failed; reads the logs of any number of nodes
  regain audit verify [FILE …] prove that nothing in an audit log was changed, and what can be proved about its end; of the logs
                           of several nodes also that no step of a recovery is missing in all of them; audit head prints the
                           end, to keep it elsewhere, audit rotate begins a new segment, audit prune removes old ones, audit
                           begin goes on after a loss; docs/audit.md
  regain keys rotate FILE  add a new signing key to a key ring, or create the ring; keys list FILE shows the use of each key,
                           keys certify FILE adds a certificate to each, for clients that require x5c; keys status tells
                           which encryption keys the store needs, and until when, keys forget ID removes what needs one
                           that is lost; docs/keys.md
  regain backup OUT        copy the file store, also while its node runs; docs/backup.md
  regain storage status [COPY] tell what a store holds, by kind, and what state it is in; storage export OUT and storage import IN
                           take all of it to a file and into another store, of any backend (- for the standard output and
                           input), storage migrate brings a database to this program's schema; docs/backup.md
  regain load              measure whole recoveries against the cost of their cryptography
  regain crash             have many people recover while nodes are killed and the database fails, and check what is left; docs/crash.md
  regain oidf              run the OpenID Foundation's conformance plans, on a suite that runs on this machine
  regain version           print the version, and the commit that it was built from

` + "`regain COMMAND --help` lists a command's flags.\n"

// errUsage ends the program with exit status 2.
var errUsage = errors.New("unknown command or missing argument: see `regain help`")

func main() { os.Exit(command()) }

// command runs the program and returns its exit status: 1 for a failure, 2 for an invalid command line.
func command() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	if err == nil || errors.Is(err, pflag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(os.Stderr, "regain:", err)
	if errors.Is(err, errUsage) {
		fmt.Fprint(os.Stderr, synopsisOf(os.Args[1]))
		return 2
	}
	return 1
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		args = []string{"help"}
	}
	rest := args[1:]
	switch args[0] {
	case "demo":
		return runDemo(ctx, rest, out)
	case "serve":
		return runServe(ctx, rest, out)
	case "check":
		return runCheck(rest, out)
	case "audit":
		return runAudit(ctx, rest, out)
	case "backup":
		return runBackup(ctx, rest, out)
	case "storage":
		return runStorage(ctx, rest, out)
	case "diagnose":
		return runDiagnose(rest, os.Stdin, out)
	case "load":
		return runLoad(ctx, rest, out)
	case "crash":
		return runCrash(ctx, rest, out)
	case crash.Command:
		if len(rest) != 1 {
			return errUsage
		}
		return runServe(crash.UntilClosed(ctx, os.Stdin), []string{"--config", rest[0]}, out)
	case load.Command:
		if len(rest) != 2 {
			return errUsage
		}
		return load.ServeNode(rest[0], rest[1], os.Stdin, out)
	case "keys":
		return runKeys(ctx, rest, out)
	case "oidf":
		return runOIDF(ctx, rest, out)
	case "version", "--version", "-v":
		return runPrint("version", rest, out, thisBuild().String()+"\n")
	case "help", "--help", "-h":
		return runPrint("help", rest, out, usage)
	}
	return unknownCommand(args[0])
}

// runPrint prints a text, for the commands that do nothing else.
func runPrint(name string, args []string, out io.Writer, text string) error {
	if err := parse(pflag.NewFlagSet(name, pflag.ContinueOnError), args, 0); err != nil {
		return err
	}
	_, err := fmt.Fprint(out, text)
	return err
}

func runDemo(ctx context.Context, args []string, out io.Writer) error {
	flags := pflag.NewFlagSet("demo", pflag.ContinueOnError)
	options := demo.Options{Out: out}
	drive := flags.Bool("drive", false, "walk the journeys over HTTP, print ok or FAIL for each, and end")
	flags.BoolVar(&options.TLS, "tls", false, "serve everything over TLS under a CA made for this run")
	flags.IntVar(&options.Port, "port", 8400, "first of five ports: Regain, main IdP, proofing provider, wallet, and a provider that Regain does not trust")
	flags.BoolVar(&options.Verbose, "verbose", false, "log every request")
	flags.StringVar(&options.Store, "store", "memory", "Regain's storage backend: "+strings.Join(demo.Stores(), ", ")+"; with mongo there are two nodes behind a balancer")
	flags.StringVar(&options.MongoURI, "mongo-uri", "", "with --store mongo: `URI` of the server, where the demo makes a database of its own and drops it; without it one is started, which scripts/mongo makes")
	flags.IntVar(&options.Nodes, "nodes", 0, "with --store mongo: how many nodes there are; two without it")
	flags.StringVar(&options.Front, "front", "", "with --drive --store mongo: `file` of a proxy that stands in front of three nodes, deploy/nginx/regain.conf or deploy/caddy/Caddyfile")
	flags.StringVar(&options.Only, "only", "", "with --drive: walk only the journeys whose name contains this")
	flags.StringVar(&options.Clients, "clients", "", "file with more `clients`, written as in docs/configuration.md: try your own IdP against the demo")
	flags.StringVar(&options.Configuration, "configuration", "", "file that is added to Regain's configuration, written as in docs/configuration.md (lists are added to, and an issuer of a type that the demo trusts joins the demo's own): try your own wallet against the demo")
	flags.StringSliceVar(&options.Offers, "offer", nil, "what the proofing provider offers, comma-separated: VerifiedIdentity (default), MobileDrivingLicence, VerifiedIdentityJWT")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	if *drive {
		return demo.Drive(ctx, options)
	}
	if options.Front != "" {
		return usageError{errors.New("demo: --front: give --drive too: a browser of this machine comes from where the proxy comes from")}
	}
	return demo.Run(ctx, options)
}

// nodeFlags returns the flags of the commands that read a configuration.
func nodeFlags(name string) (*pflag.FlagSet, *string) {
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	file := flags.String("config", "", "configuration file (YAML)")
	flags.String("listen", "", "address to listen on")
	flags.String("issuer", "", "issuer URL")
	return flags, file
}

// loadConfig returns the configuration, and its file, "" for none.
func loadConfig(name string, args []string) (cfg config.Config, from string, err error) {
	flags, file := nodeFlags(name)
	cfg = config.Defaults()
	if err := parse(flags, args, 0); err != nil {
		return cfg, "", err
	}
	cfg, err = readConfig(flags, *file)
	return cfg, *file, err
}

// readConfig reads a configuration, under flags that were parsed.
func readConfig(flags *pflag.FlagSet, file string) (config.Config, error) {
	cfg := config.Defaults()
	err := config.Load(config.Source{File: file, Environ: os.Environ, Flags: flags, FlagKey: func(flag string) string {
		if flag == "config" {
			return ""
		}
		return flag
	}, Renamed: config.Renamed()}, &cfg)
	return cfg, err
}

func runServe(ctx context.Context, args []string, out io.Writer) error {
	cfg, file, err := loadConfig("serve", args)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if file == "" && cfg.Issuer == "" && len(cfg.Clients) == 0 { // an empty file is a mistake, and no wish for this
		if cfg, err = config.Development(cfg); err != nil {
			return err
		}
		fmt.Fprintf(out, "No configuration: a development instance at %s, in memory, with keys made now and no client.\nTry `regain demo`, or write a configuration: docs/configuration.md.\n", cfg.Issuer)
	}
	return node.Serve(ctx, cfg, logger)
}

func runCheck(args []string, out io.Writer) error {
	cfg, _, err := loadConfig("check", args)
	if err != nil {
		return err
	}
	if err := node.Check(cfg); err != nil {
		return err
	}
	for _, warning := range node.Warnings(cfg, time.Now()) {
		if _, err := fmt.Fprintln(out, "warning: "+warning); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(out, "ok: the configuration is complete and every file it names can be read")
	return err
}

func runDiagnose(args []string, in io.Reader, out io.Writer) error {
	flags := pflag.NewFlagSet("diagnose", pflag.ContinueOnError)
	if err := parse(flags, args, len(args)); err != nil {
		return err
	}
	if args = flags.Args(); len(args) == 0 {
		return errUsage
	}
	logs := []diagnosis.Log{{Reader: in}}
	if names := args[1:]; len(names) > 0 {
		logs = nil
		for _, name := range names {
			file, err := os.Open(name) //nolint:gosec // the caller chooses which files to read
			if err != nil {
				return fmt.Errorf("read the log: %w", err)
			}
			defer file.Close() //nolint:errcheck // only read
			log := diagnosis.Log{Reader: file}
			if len(names) > 1 {
				log.Name = name
			}
			logs = append(logs, log)
		}
	}
	found, err := diagnosis.FindIn(args[0], logs...)
	if err != nil {
		return err
	}
	return diagnosis.Write(out, found)
}

func runLoad(ctx context.Context, args []string, out io.Writer) error {
	flags := pflag.NewFlagSet("load", pflag.ContinueOnError)
	var options load.Options
	flags.DurationVar(&options.Duration, "duration", load.DefaultDuration, "how long to drive recoveries in each configuration, a minute at most")
	flags.IntSliceVar(&options.Workers, "workers", []int{load.DefaultWorkers}, "recoveries at the same time; several numbers, comma-separated, run one after the other and print a line each")
	flags.StringSliceVar(&options.Stores, "store", load.Stores()[:1], "storage backends, comma-separated, each with each number of --workers: "+strings.Join(load.Stores(), ", "))
	flags.StringVar(&options.MongoURI, "mongo-uri", "", "with --store mongo: `URI` of the server, where each configuration has a database of its own that is dropped; without it one is started, in memory, of which only counts and the node's own CPU time are fair figures")
	flags.BoolVar(&options.TLS, "tls", false, "the server ends TLS itself, and each browser and each wallet comes with a connection of its own")
	flags.IntVar(&options.Waiting, "waiting", 0, "live pages that stay open while recoveries run")
	flags.StringVar(&options.Profile, "profile", "", "write a CPU profile of the server to this file; for one configuration")
	flags.StringVar(&options.Compare, "compare", "", "`file` with the lines of an earlier run: print the ratio of each figure to that of the same configuration there")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	return load.Run(ctx, options, out)
}

func runOIDF(ctx context.Context, args []string, out io.Writer) error {
	flags := pflag.NewFlagSet("oidf", pflag.ContinueOnError)
	var options oidf.Options
	flags.StringVar(&options.Suite, "suite", "", "`URL` of the running conformance suite")
	flags.BoolVar(&options.Local, "local", false, "the suite runs on this machine: trust the certificate that it shows")
	flags.StringVar(&options.TokenEnv, "token-env", "", "`variable` with the API token of the suite, if it wants one")
	flags.StringSliceVar(&options.Plans, "plan", nil, "plans to run, by name; all without it")
	flags.StringSliceVar(&options.Modules, "module", nil, "modules to run, for debugging; no results are written")
	flags.StringVar(&options.Results, "results", "conformance/oidf", "directory of results.json and RESULTS.md")
	flags.StringVar(&options.Alias, "alias", "regain", "the suite's name for the server under test in its URLs: concurrent runs need different ones")
	flags.IntVar(&options.Port, "port", 9400, "first of eight ports of the server under test")
	flags.BoolVar(&options.List, "list", false, "list the plans and end")
	flags.BoolVar(&options.Render, "render", false, "rewrite RESULTS.md from results.json, held against the plans as they are now, and end")
	flags.BoolVar(&options.Verbose, "verbose", false, "log every request to the server under test")
	if err := parse(flags, args, 0); err != nil {
		return err
	}
	this := thisBuild()
	options.Code = oidf.Code{Commit: this.commit, Modified: this.modified}
	return oidf.Run(ctx, options, out)
}
