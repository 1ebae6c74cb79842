package load

import (
	"crypto/counted"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"regain/conformance/testenv"
)

// TestCount prints the cryptography of one recovery on each store, in all and for each function of the node.
func TestCount(t *testing.T) {
	for _, kept := range stores() {
		t.Run(kept.name, func(t *testing.T) { count(t, kept.name) })
	}
}

func count(t *testing.T, kept string) {
	w, err := testenv.Start(testenv.Options{Logger: slog.New(slog.DiscardHandler), Namesakes: 1, Store: kept})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	h, err := newHolder(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	k, err := newWorker(w, h, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	const before, counting = 5, 50
	for i := range before + counting {
		if i == before { // chains, keys and status lists are verified once, and remembered
			counted.Take()
		}
		if err := k.recovery(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	lines := map[string]counted.Sum{}
	for key, sum := range counted.Take() {
		by, ok := forNode(key.Callers)
		if !ok {
			continue
		}
		for _, name := range []string{within(key) + "  in all", within(key) + "  " + by} {
			line := lines[name]
			lines[name] = counted.Sum{Count: line.Count + sum.Count, Bytes: line.Bytes + sum.Bytes}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		fmt.Printf("%7.2f %7.0f bytes  %s\n", float64(lines[name].Count)/counting, float64(lines[name].Bytes)/counting, name)
	}
}

// forNode returns the innermost function of Regain, and reports whether an operation was for the node, and not for the
// wallet or another of its counterparts in this process.
func forNode(callers string) (by string, ok bool) {
	for name := range strings.Lines(callers) {
		name, ours := strings.CutPrefix(strings.TrimSpace(name), "regain/")
		if strings.HasPrefix(name, "conformance/") {
			return "", false
		}
		if ours && by == "" {
			by = name
		}
	}
	return by, by != ""
}

// within names an operation with the one that it is a part of: the hashes of an HMAC, the HMACs of a signature's nonce.
func within(key counted.Key) string {
	switch {
	case !strings.HasPrefix(key.Operation, "ecdsa") && strings.Contains(key.Callers, "crypto/ecdsa.Sign"):
		return key.Operation + " within ecdsa Sign"
	case key.Operation != "hmac" && strings.Contains(key.Callers, "hmac.(*HMAC).Sum"):
		return key.Operation + " within hmac"
	}
	return key.Operation
}
