package diagnosis_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"regain/presentation/dcql"
	"regain/provider/diagnosis"
)

// log writes event records as a node does: two contacts of one recovery, and one of another, on two nodes.
func log(t *testing.T) string {
	t.Helper()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { now = now.Add(1500 * time.Microsecond); return now }
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, nil))
	record := func(correlation, transaction, state, route string, status int, d *diagnosis.Diagnosis) {
		logger.Info("request", "correlation_id", correlation, "method", "POST", "route", route, "status", status, "took", 3*time.Millisecond,
			slog.Group("transaction", "id", transaction, "state", state), diagnosis.Attribute, d)
	}
	query, err := dcql.Recovery(dcql.RecoveryParams{VerifiedIDTypes: []string{"urn:id"}, Claims: []dcql.Path{dcql.Names("given_name"), dcql.Names("address", "locality")}})
	if err != nil {
		t.Fatal(err)
	}
	served := diagnosis.New("default", "cross_device", clock)
	served.Ask(query)
	if err := served.Step("served", nil); err != nil || served.Failed() {
		t.Fatal(err)
	}
	record("c1", "t1", "retrieved", "/openid4vp/request/:handle", 200, served)
	refused := diagnosis.New("default", "cross_device", clock)
	refused.Came = []string{"verified_id"}
	_ = refused.Step("opened", nil)
	evaluation, err := query.Evaluate(map[string][]dcql.Presentation{"verified_id": {{
		CredentialFormat: "dc+sd-jwt", Types: []string{"urn:id"}, Claims: map[string]any{"given_name": "Lindqvist"}, HolderBound: true,
	}}})
	refused.Query = &evaluation
	if got := refused.Step("matches the query", err); !errors.Is(got, dcql.ErrMissing) || !refused.Failed() {
		t.Fatalf("got %v", got)
	}
	record("c2", "t1", "retrieved", "/openid4vp/response/:handle", 400, refused)
	record("c3", "t2", "retrieved", "/openid4vp/response/:handle", 200, nil)
	out.WriteString("a line of another program\n\n{}\n")
	return out.String()
}

func TestFind(t *testing.T) {
	for id, want := range map[string]int{"c1": 2, "c2": 2, "t1": 2, "c3": 1, "t2": 1, "c4": 0, "": 0} {
		found, err := diagnosis.Find(strings.NewReader(log(t)), id)
		if len(found) != want || (want == 0) != errors.Is(err, diagnosis.ErrNotFound) {
			t.Errorf("%q: %d records, %v", id, len(found), err)
		}
	}
}

func TestWrite(t *testing.T) {
	found, err := diagnosis.Find(strings.NewReader(log(t)), "c2")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := diagnosis.Write(&out, found); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"recovery t1", "POST /openid4vp/request/:handle → 200 in 3ms, retrieved  (c1)", "asked  verified_id: dc+sd-jwt urn:id with given_name, address/locality",
		"came   verified_id", "ok     opened (1.50 ms)", "FAILED matches the query", `["address","locality"]`,
	} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("it does not say %q:\n%s", part, out.String())
		}
	}
	if strings.Contains(out.String(), "Lindqvist") || strings.Contains(log(t), "Lindqvist") {
		t.Error("it names a person")
	}
}

// Whatever is in a log, reading it does no harm.
func FuzzFind(f *testing.F) {
	f.Add(`{"correlation_id":"c1","transaction":{"id":"t"},"presentation":{"checks":[{"check":"x"}]}}`, "c1")
	f.Fuzz(func(t *testing.T, logs, id string) {
		found, err := diagnosis.Find(strings.NewReader(logs), id)
		if err == nil && (len(found) == 0 || diagnosis.Write(&bytes.Buffer{}, found) != nil) {
			t.Error("found, and nothing to say")
		}
	})
}
