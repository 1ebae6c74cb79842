// Package demo is `regain demo`: the whole test environment on one machine. Run starts it and prints where to click; Drive walks
// every journey over HTTP, as a person, a wallet and a main IdP would, and says of each whether it went as it must.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
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
	// Store is Regain's storage backend: memory, file, or mongo, on which several nodes run; "" is memory.
	Store    string
	MongoURI string // server of the store mongo; "" starts one
	Nodes    int    // of the store mongo; 0 for two
}

// Stores are what Options.Store may be.
func Stores() []string { return []string{"memory", "file", "mongo"} }

const (
	defaultNodes = 2 // of a store that nodes share
	maxNodes     = 16
)

// environment returns the options of a test environment that all ways of running have, or what is wrong with them.
func (o Options) environment() (testenv.Options, error) {
	e := testenv.Options{TLS: o.TLS, Logger: o.logger(), Store: cmp.Or(o.Store, "memory"), MongoURI: o.MongoURI, Nodes: o.Nodes}
	switch {
	case !slices.Contains(Stores(), e.Store):
		return e, fmt.Errorf("demo: --store %q: use %s", o.Store, strings.Join(Stores(), ", "))
	case e.Store != "mongo" && o.MongoURI != "":
		return e, errors.New("demo: --mongo-uri is the server of --store mongo, which is missing")
	case e.Store != "mongo" && o.Nodes > 1:
		return e, fmt.Errorf("demo: --nodes %d: nodes need a store that they share: --store mongo", o.Nodes)
	case o.Nodes < 0 || o.Nodes > maxNodes:
		return e, fmt.Errorf("demo: --nodes %d: use 1 to %d", o.Nodes, maxNodes)
	case e.Store == "mongo":
		e.Nodes = cmp.Or(o.Nodes, defaultNodes)
	}
	return e, nil
}

func (o Options) logger() *slog.Logger {
	if !o.Verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}

// Run starts the test environment, prints where to click, and serves until ctx ends.
func Run(ctx context.Context, o Options) error {
	e, err := o.environment()
	if err != nil {
		return err
	}
	e.Port, e.Clients, e.Configuration, e.Offers, e.Change = o.Port, o.Clients, o.Configuration, o.Offers, testenv.WithoutHSTS
	w, err := testenv.Start(e)
	if err != nil {
		return err
	}
	if err := explain(o, w); err != nil {
		return errors.Join(err, w.Close())
	}
	return errors.Join(w.Wait(ctx), w.Close())
}

// nodes says what serves Regain, "" for a node with a store of its own.
func nodes(w *testenv.Env) string {
	if w.MongoURI() == "" {
		return ""
	}
	server := "your MongoDB"
	if w.InMemory() {
		server = "a MongoDB test server"
	}
	if n := len(w.AuditLogs()); n > 1 {
		return fmt.Sprintf("%d nodes behind a balancer, any of which answers any request, over %s", n, server)
	}
	return "one node over " + server
}

// explain prints where to begin, whom to be, and how to stop.
func explain(o Options, w *testenv.Env) error {
	table := tabwriter.NewWriter(o.Out, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "Regain's demo is up.\n\n")
	for _, row := range [][3]string{
		{"main IdP", w.IdP, "begin here"},
		{"Regain", w.Regain, nodes(w)},
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
