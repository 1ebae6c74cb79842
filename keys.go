package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/spf13/pflag"

	"regain/internal/keep"
	"regain/provider/keys"
	"regain/storage"
)

// runKeys runs `regain keys`: list, rotate and certify are about a ring of signing keys in a file; status and forget about
// the encryption keys that a store needs.
func runKeys(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 && (args[0] == "status" || args[0] == "forget") {
		return runSealing(ctx, args[0], args[1:], out)
	}
	flags := pflag.NewFlagSet("keys", pflag.ContinueOnError)
	alg := flags.String("alg", "ES256", "rotate: algorithm of the new key: ES256, RS256 (PS256 is the same key) or EdDSA")
	announce := flags.Duration("announce", 24*time.Hour, "rotate: how long the new key is published before it signs; longer than clients cache the JWK set")
	overlap := flags.Duration("overlap", 24*time.Hour, "rotate: how long the old key is published after that; longer than ID tokens are used")
	token := flags.String("pkcs11", "", "rotate: the new key is in a PKCS#11 token, which this `URI` names (RFC 7512)")
	name := flags.String("name", "", "certify: the name in the certificates, such as the server's host name")
	if err := parse(flags, args, 2); err != nil {
		return err
	}
	if flags.NArg() != 2 {
		return errUsage
	}
	path, now := flags.Arg(1), time.Now()
	switch flags.Arg(0) {
	case "list":
	case "certify":
		if *name == "" {
			return errors.New("--name: give the name for the certificates, such as recover.example.org")
		}
		if err := keys.CertifyFile(path, *name, now); err != nil {
			return err
		}
	case "rotate":
		key, err := newKey(jose.SignatureAlgorithm(*alg), *token)
		if err != nil {
			return err
		}
		r := keys.Rotation{Algorithm: jose.SignatureAlgorithm(*alg), New: key, Now: now, Announce: *announce, Overlap: *overlap}
		if err := keys.RotateFile(path, r); err != nil {
			return err
		}
	default:
		return errUsage
	}
	return describeRing(flags.Arg(0), path, now, out)
}

// newKey makes a key, or names the one in a token.
func newKey(alg jose.SignatureAlgorithm, token string) (crypto.Signer, error) {
	if token != "" {
		key, err := keys.NewTokenKey(token)
		if err != nil {
			return nil, fmt.Errorf("--pkcs11: %w", err)
		}
		return key, nil
	}
	key, err := keys.GenerateFor(alg, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("--alg: %w", err)
	}
	return key, nil
}

// describeRing prints the keys of a ring after a command.
func describeRing(command, path string, now time.Time, out io.Writer) error {
	list, err := keys.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := keys.Describe(list, now)
	if err != nil {
		return err
	}
	fmt.Fprint(out, text)
	if command != "list" {
		fmt.Fprintln(out, "Nodes read the file again by themselves, within two seconds; a new algorithm needs a restart.")
	}
	return nil
}

// runSealing runs the commands about encryption keys.
func runSealing(ctx context.Context, command string, args []string, out io.Writer) error {
	wanted := 0
	if command == "forget" {
		wanted = 1
	}
	flags, file := nodeFlags("keys " + command)
	if err := parse(flags, args, wanted); err != nil {
		return err
	}
	if flags.NArg() != wanted || *file == "" {
		return usageError{fmt.Errorf("keys %s: name the configuration with --config, and for forget the id of a key: see `regain keys status`", command)}
	}
	cfg, err := readConfig(flags, *file)
	if err != nil {
		return err
	}
	if command == "status" {
		use, err := keep.Keys(ctx, cfg, time.Now)
		if err != nil {
			return err
		}
		return describeKeys(out, use)
	}
	lost, err := storage.ParseKeyID(flags.Arg(0))
	if err != nil {
		return fmt.Errorf("keys forget: %w", err)
	}
	removed, err := keep.ForgetKey(ctx, cfg, lost, keep.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "ok: removed %d records that needed the key %s\n", removed, lost)
	return err
}

// describeKeys prints a table of what needs which encryption key.
func describeKeys(out io.Writer, use keep.KeyUse) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tUSE\tRECORDS\tKIND\tUNTIL")
	ids := slices.Clone(use.Keys)
	for _, need := range use.Needs {
		if !slices.Contains(ids, need.Key) {
			ids = append(ids, need.Key)
		}
	}
	for i, id := range ids {
		does := "opens"
		switch {
		case i == 0:
			does = "seals"
		case i >= len(use.Keys):
			does = "MISSING"
		}
		needed := false
		for _, need := range use.Needs {
			if need.Key != id {
				continue
			}
			needed = true
			until := "without an end"
			switch {
			case !need.Until.IsZero():
				until = need.Until.UTC().Format(time.RFC3339)
			case does == "opens":
				until = "sealed anew by the nodes"
			}
			fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", id, does, need.Records, need.Kind, until)
		}
		if !needed && i > 0 {
			fmt.Fprintf(table, "%s\t%s\t0\t-\tnot needed: retire it when every node uses %s\n", id, does, ids[0])
		} else if !needed {
			fmt.Fprintf(table, "%s\t%s\t0\t-\t-\n", id, does)
		}
	}
	return table.Flush()
}
