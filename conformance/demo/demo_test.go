package demo_test

import (
	"context"
	"strings"
	"testing"

	"regain/conformance/demo"
)

// Whoever clicks through the demonstration is told what serves it.
func TestTheDemoSaysWhatServesIt(t *testing.T) {
	over, stop := context.WithCancel(t.Context())
	stop() // it starts, explains, and ends
	for _, row := range []struct {
		options demo.Options
		says    string
	}{
		{demo.Options{Store: "mongo"}, "2 nodes behind a balancer, any of which answers any request, over a MongoDB test server\n"},
		{demo.Options{Store: "mongo", Nodes: 3}, "3 nodes behind a balancer"},
		{demo.Options{Store: "mongo", Nodes: 1}, "one node over a MongoDB test server"},
		{demo.Options{}, "\n  main IdP"},
	} {
		var said strings.Builder
		row.options.Out = &said
		if err := demo.Run(over, row.options); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(said.String(), row.says) || (row.options.Store == "") == strings.Contains(said.String(), "node") {
			t.Errorf("%+v: it says %s", row.options, &said)
		}
	}
}
