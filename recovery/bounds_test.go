package recovery_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"regain/recovery"
)

func TestRecordable(t *testing.T) {
	for name, want := range map[string]bool{
		"ada@example.org": true, "Łukasz Żółć": true, "": true, strings.Repeat("a", 320): true, "李小龍@例え.jp": true,
		strings.Repeat("a", 321): false, strings.Repeat("é", 161): false,
		"ada\n{\"seq\":1}": false, "ada\x00": false, "ada\x1b[2K": false, "ada\x7f": false, "ada\u0085": false, "ada\u2028": false,
		"ada\u202egro.elpmaxe": false, "ada\u200b": false, "\xff\xfe": false, "ada\ufeff": false, "ada\t": false,
	} {
		if got := recovery.Recordable(name); got != want {
			t.Errorf("%q: recordable %t", name, got)
		}
	}
}

// Every text of an event, whatever its member and wherever it came from, is short and shows as what it is when it reaches
// the log. A member that is added later is tried too.
func TestEventsAreBounded(t *testing.T) {
	huge := strings.Repeat("\u202e\x00é", 4000)
	b := setUp(t, nil)
	tx, _, err := b.Start(t.Context(), recovery.StartParams{Client: recovery.ClientID(huge), Account: "ada@example.org", Network: "192.0.2.1", Authorization: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	fill(reflect.ValueOf(&tx).Elem(), huge)
	results := []recovery.RuleResult{{Rule: huge, Detail: huge}, {Rule: "x", Detail: "y"}}
	tx.ID, tx.State, tx.Version, tx.Decision = b.events[0].Transaction, recovery.StateStarted, 1, &recovery.Decision{Reason: recovery.Reason(huge), Results: results}
	tx.ExpiresAt = b.now.Add(1)
	if _, err := b.Cancel(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	for _, event := range b.events {
		data, err := json.Marshal(event)
		if err != nil || len(data) > 20*recovery.MaxName {
			t.Errorf("%d octets, %v", len(data), err)
		}
		each(reflect.ValueOf(event), func(text string) {
			if !recovery.Recordable(text) && !strings.Contains(text, "\ufffd") || len(text) > recovery.MaxName || !utf8.ValidString(text) || strings.ContainsAny(text, "\u202e\x00") {
				t.Errorf("%s: %d octets: %q", event.Type, len(text), text[:min(len(text), 40)])
			}
		})
	}
	if results[0].Rule != huge {
		t.Error("the transaction's own results were changed")
	}
	if last := b.events[len(b.events)-1]; last.Type != recovery.EventRecoveryCancelled || len(last.Results) != 2 || last.Results[1].Detail != "y" || !strings.HasSuffix(string(last.Client), "…") {
		t.Errorf("the last event: %+v", last)
	}
}

// fill puts text into every member that is one.
func fill(v reflect.Value, text string) {
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String && f.CanSet() {
			f.SetString(text)
		}
	}
}

func each(v reflect.Value, see func(string)) {
	switch v.Kind() {
	case reflect.String:
		see(v.String())
	case reflect.Slice:
		for i := range v.Len() {
			each(v.Index(i), see)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				each(v.Field(i), see)
			}
		}
	}
}

// Beyond a limit a few openings are stored and recorded, so that somebody hears of it. The rest of a flood is neither,
// from whichever network and in whichever names it comes.
func TestAFloodBeyondALimitFillsNothing(t *testing.T) {
	for name, params := range map[string]func(i int) recovery.StartParams{
		"one account": func(int) recovery.StartParams {
			return recovery.StartParams{Account: "ada@example.org", Network: "192.0.2.1"}
		},
		"many names": func(i int) recovery.StartParams {
			return recovery.StartParams{Account: recovery.RequestedAccount(fmt.Sprintf("a%d@example.org", i)), Network: "192.0.2.1"}
		},
		"many networks": func(i int) recovery.StartParams {
			return recovery.StartParams{Account: "ada@example.org", Network: fmt.Sprintf("192.0.%d.%d", i/200, i%200)}
		},
		"no network": func(int) recovery.StartParams { return recovery.StartParams{Account: "ada@example.org"} },
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t, func(p *recovery.Policy) {
				p.Limits = recovery.Limits{{Name: "client", Per: recovery.PerClient, Max: 10, Window: 60e9}, {Name: "account-network", Per: recovery.PerAccountNetwork, Max: 50, Window: 60e9}}
			})
			refused := 0
			for i := range 1000 {
				p := params(i)
				p.Client, p.Authorization = "main-idp", []byte("{}")
				tx, secret, err := b.Start(t.Context(), p)
				switch {
				case errors.Is(err, recovery.ErrTooManyAttempts):
					if refused++; tx.ID != "" || secret != "" {
						t.Error("something was opened")
					}
				case err != nil:
					t.Fatal(err)
				}
			}
			if counters, networks := len(b.hits), map[string]int{"many networks": 1000}[name]; counters > networks+150 {
				t.Errorf("%d counters", counters)
			}
			if stored := len(b.transactions); stored < 14 || stored > 10+100 || len(b.events) != stored || refused != 1000-stored {
				t.Errorf("%d transactions, %d events, %d refused", stored, len(b.events), refused)
			}
		})
	}
}
