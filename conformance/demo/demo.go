// Package demo is `regain demo`: the whole test environment on one machine. Run starts it and prints where to click; Drive walks
// every journey over HTTP, as a person, a wallet and a main IdP would, and says of each whether it went as it must.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"

	"regain/conformance/people"
	"regain/conformance/testenv"
)

// Options say how to run.
type Options struct {
	Out     io.Writer
	TLS     bool
	Port    int // first of five ports of the clickable test environment
	Verbose bool
	Only    string // journeys whose name contains this; "" for all
	Clients string // file whose `clients` are registered too, as docs/configuration.md writes them; "" for none
	// Configuration is a file that is merged into Regain's configuration; "" for none.
	Configuration string
	Offers        []string // credential configurations that the proofing provider offers; its usual one if empty
}

func (o Options) logger() *slog.Logger {
	if !o.Verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}

// Run starts the test environment, prints where to click, and serves until ctx ends.
func Run(ctx context.Context, o Options) error {
	w, err := testenv.Start(testenv.Options{Port: o.Port, TLS: o.TLS, Logger: o.logger(), Clients: o.Clients, Configuration: o.Configuration, Offers: o.Offers, Change: testenv.WithoutHSTS})
	if err != nil {
		return err
	}
	if err := explain(o, w); err != nil {
		return errors.Join(err, w.Close())
	}
	return errors.Join(w.Wait(ctx), w.Close())
}

// explain prints where to begin, whom to be, and how to stop.
func explain(o Options, w *testenv.Env) error {
	table := tabwriter.NewWriter(o.Out, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "Regain's demo is up.\n\n")
	for _, row := range [][3]string{
		{"main IdP", w.IdP, "begin here"},
		{"Regain", w.Regain, ""},
		{"proofing", w.Proofing, "a document and a face become a Verified ID"},
		{"wallet", w.Wallet, "the phone: add the Verified ID, agree, take the Face Check"},
	} {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", row[0], row[1], row[2])
	}
	fmt.Fprintf(table, `
Open %s/ , type an account, choose "Other ways to sign in", then "Recover your account".
On Regain's page choose "Get one from Northlight Identity", be the same person there, and come back.

`, w.IdP)
	fmt.Fprintln(table, "  ACCOUNT\tWHAT THIS PERSON MEETS")
	for _, p := range people.Samples() {
		fmt.Fprintf(table, "  %s\t%s\n", p.Account, p.Meets)
	}
	fmt.Fprintln(table, "  nobody@example.org\tIs refused like a mismatch: nothing shows that there is no such account.")
	if err := table.Flush(); err != nil {
		return err
	}
	if o.Clients != "" {
		fmt.Fprintf(o.Out, "\nThe clients of %s can federate with %s.\n", o.Clients, w.Regain)
	}
	if o.TLS {
		fmt.Fprintf(o.Out, "\nTLS: trust the CA in %s in a browser profile made for this, and remove it afterwards.\n", w.CAFile())
	}
	fmt.Fprintf(o.Out, "\nThe configuration, keys and certificates of this run are in %s\n", w.Directory())
	_, err := fmt.Fprintln(o.Out, "\nEverything is made up, and is gone when you press Ctrl-C.")
	return err
}
