package status_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"regain/verifier/status"
	"regain/verifier/verifiertest"
)

// TestReferenceIn holds that a credential either names its entry, or has no status at all: what cannot be read is there,
// so that no policy takes it for a credential without one.
func TestReferenceIn(t *testing.T) {
	list := func(change func(map[string]any)) map[string]any {
		inner := map[string]any{"uri": "https://issuer.example/1", "idx": json.Number("7")}
		change(inner)
		return map[string]any{"status": map[string]any{"status_list": inner}}
	}
	const partial = "status_list has no uri, or its idx is not a whole number"
	for name, tt := range map[string]struct {
		claims map[string]any
		want   status.Reference
		there  bool
		why    string
	}{
		"in order":     {list(func(map[string]any) {}), status.Reference{URI: "https://issuer.example/1", Index: 7}, true, ""},
		"first entry":  {list(func(l map[string]any) { l["idx"] = json.Number("0") }), status.Reference{URI: "https://issuer.example/1"}, true, ""},
		"no status":    {map[string]any{"iss": "x"}, status.Reference{}, false, ""},
		"null":         {map[string]any{"status": nil}, status.Reference{}, true, "status has no status_list"},
		"another kind": {map[string]any{"status": map[string]any{"other": map[string]any{}}}, status.Reference{}, true, "status has no status_list"},
		"a text":       {map[string]any{"status": "x"}, status.Reference{}, true, "status has no status_list"},
		"no uri":       {list(func(l map[string]any) { delete(l, "uri") }), status.Reference{}, true, partial},
		"no idx":       {list(func(l map[string]any) { delete(l, "idx") }), status.Reference{}, true, partial},
		"idx a text":   {list(func(l map[string]any) { l["idx"] = "7" }), status.Reference{}, true, partial},
		"idx below 0":  {list(func(l map[string]any) { l["idx"] = json.Number("-1") }), status.Reference{}, true, partial},
		"idx broken":   {list(func(l map[string]any) { l["idx"] = json.Number("0.5") }), status.Reference{}, true, partial},
		"idx too much": {list(func(l map[string]any) { l["idx"] = json.Number("9223372036854775808") }), status.Reference{}, true, partial},
	} {
		got, there, err := status.ReferenceIn(tt.claims)
		if got != tt.want || there != tt.there || (err == nil) != (tt.why == "") || err != nil && !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s: got %v, %v, %v", name, got, there, err)
		}
	}
}

// TestLookTakesListsWithoutAnEnd holds that exp and ttl may be left out (Token Status List §5.1), that a ttl that cannot
// be read is refused, and that a list as large as it may be is read.
func TestLookTakesListsWithoutAnEnd(t *testing.T) {
	full := verifiertest.Encode(verifiertest.Compress(t, make([]byte, 4<<20)))
	for name, tt := range map[string]struct {
		change func(body map[string]any)
		why    string
	}{
		"no exp":     {func(body map[string]any) { delete(body, "exp") }, ""},
		"neither":    {func(body map[string]any) { delete(body, "exp"); delete(body, "ttl") }, ""},
		"ttl a text": {func(body map[string]any) { body["ttl"] = "soon" }, "ttl is not a positive number"},
		"ttl a lot":  {func(body map[string]any) { body["ttl"] = 200_000_000_000 }, ""},
		"a full list": {func(body map[string]any) {
			body["status_list"].(map[string]any)["lst"] = full
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			clock := verifiertest.NewClock()
			issuer := verifiertest.New(t, clock.Now)
			issuer.Status.Change = func(_, body map[string]any) { tt.change(body) }
			lists, reference := newLists(t, issuer, clock), status.Reference{URI: issuer.Status.URI}
			_, err := lists.Look(t.Context(), reference, believe(issuer))
			if (err == nil) != (tt.why == "") || err != nil && !strings.Contains(err.Error(), tt.why) {
				t.Fatalf("got %v, want %q", err, tt.why)
			}
			if tt.why != "" {
				return
			}
			clock.Advance(minTTL - time.Second)
			if _, err := lists.Look(t.Context(), reference, believe(issuer)); err != nil || issuer.Status.Requests.Load() != 1 {
				t.Errorf("within the least time: %v, %d requests", err, issuer.Status.Requests.Load())
			}
		})
	}
}

// TestNewTakesItsBounds holds that the bounds may be zero and equal.
func TestNewTakesItsBounds(t *testing.T) {
	clock := verifiertest.NewClock()
	cfg := status.Config{Fetch: verifiertest.New(t, clock.Now).Fetcher(), Clock: clock.Now}
	for _, bounds := range [][2]time.Duration{{0, time.Second}, {time.Second, time.Second}} {
		cfg.MinTTL, cfg.MaxTTL = bounds[0], bounds[1]
		if _, err := status.New(cfg); err != nil {
			t.Errorf("%v: %v", bounds, err)
		}
	}
}
