// Package oidf runs plans of the OpenID Foundation's conformance suite against this build. The suite is a product of its
// own (https://gitlab.com/openid/conformance-suite): this package talks to one that runs, over its REST API, and holds
// only what is ours: which plans, configured how, with what results, and the report.
//
//	regain oidf --suite https://localhost.emobix.co.uk:8443 --local      every plan, against a suite on this machine
//	regain oidf --suite … --local --plan basic                           one plan
//	regain oidf --suite … --local --plan verifier/x509_hash              the variants of one plan that begin so
//	regain oidf --list
//
// The party under test is package target's: Regain itself over TLS, in the demo's test environment. A suite elsewhere must be able
// to reach it, so it is for suites on the same machine; names under .localhost must resolve there.
//
// Who is under test differs from plan to plan, and so does what the runner does (Drive):
//
//	an OpenID provider     Regain; the suite is the client and brings the browser along
//	a verifier             Regain; the suite is the wallet, and the runner is the person: it recovers an account in a
//	                       browser of its own, follows the link to the wallet, and comes back
//	a wallet               conformance/wallet; the suite is the verifier or the issuer, and the runner opens its link
//	an issuer              conformance/proofing; the suite is the wallet, and the runner brings it offers
//
// The last two are the other side of every journey in Regain's tests: they prove little if they are wrong themselves. A
// module that wants a person to look at a page gets a picture of it (package picture).
//
// A module must pass, unless its plan expects something else of it and says why. What is expected to fail or to warn is
// named by the suite's conditions, all of them: any other failure of the module, a hang, and a plan without modules are not
// as expected. Each result has the commit of the code under test, and the suite's version.
//
//	plans/NAME.yaml   what to run and what to expect        results.json   the results, run by run
//	target/           who is under test                     RESULTS.md     the same, to read; never edited by hand
package oidf

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Suite is a running conformance suite.
type Suite struct {
	base   string
	client *http.Client
	token  string // of a hosted suite's API; "" for a local one

	// Party is the party under test. It may be nil for plans in which the suite's own browser does everything.
	Party Party
}

// NewSuite refuses an address that is none.
func NewSuite(base string, client *http.Client, token string) (*Suite, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("suite %q: give its URL, such as https://localhost.emobix.co.uk:8443", base)
	}
	return &Suite{base: u.Scheme + "://" + u.Host, client: client, token: token}, nil
}

// Version is what a report names the suite by.
type Version struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
}

// Version asks for it, and shows that the suite answers.
func (s *Suite) Version(ctx context.Context) (Version, error) {
	var v Version
	return v, s.call(ctx, http.MethodGet, "/api/server", nil, &v)
}

// Module is one module of a plan with the variant that the plan gives it.
type Module struct {
	Name    string            `json:"testModule"`
	Variant map[string]string `json:"variant"`
}

// created is a plan that the suite made.
type created struct {
	ID      string   `json:"id"`
	Modules []Module `json:"modules"`
}

func (s *Suite) createPlan(ctx context.Context, p Plan) (created, error) {
	var made created
	variant, err := json.Marshal(p.Variant)
	if err != nil {
		return made, fmt.Errorf("encode variant: %w", err)
	}
	return made, s.call(ctx, http.MethodPost, "/api/plan?"+url.Values{"planName": {p.Plan}, "variant": {string(variant)}}.Encode(), p.Config, &made)
}

func (s *Suite) start(ctx context.Context, plan string, m Module) (string, error) {
	var instance struct {
		ID string `json:"id"`
	}
	query := url.Values{"test": {m.Name}, "plan": {plan}}
	if len(m.Variant) > 0 {
		variant, err := json.Marshal(m.Variant)
		if err != nil {
			return "", fmt.Errorf("encode variant: %w", err)
		}
		query.Set("variant", string(variant))
	}
	return instance.ID, s.call(ctx, http.MethodPost, "/api/runner?"+query.Encode(), nil, &instance)
}

// info is where an instance stands.
type info struct {
	Status string `json:"status"` // CREATED, CONFIGURED, RUNNING, WAITING, FINISHED, INTERRUPTED
	Result string `json:"result"` // PASSED, WARNING, REVIEW, SKIPPED, FAILED
}

func (i info) ended() bool { return i.Status == "FINISHED" || i.Status == "INTERRUPTED" }

// poll is how often an instance is asked where it stands.
const poll = 300 * time.Millisecond

// wait returns when the instance has ended or ctx has. Each step is taken once, when the instance is first seen in the
// status of its name.
func (s *Suite) wait(ctx context.Context, instance string, steps map[string]func(context.Context) error) (info, error) {
	var at info
	for {
		if err := s.call(ctx, http.MethodGet, "/api/info/"+instance, nil, &at); err != nil || at.ended() {
			return at, err
		}
		if step, there := steps[at.Status]; there {
			delete(steps, at.Status)
			if err := step(ctx); err != nil {
				return at, err
			}
		}
		select {
		case <-ctx.Done():
			return at, context.Cause(ctx)
		case <-time.After(poll):
		}
	}
}

// entry is one line of an instance's log.
type entry struct {
	Source       string   `json:"src"`
	Message      string   `json:"msg"`
	Result       string   `json:"result"`
	Requirements []string `json:"requirements"`
	Upload       string   `json:"upload"` // where a picture is wanted, its placeholder; "" once it is there
}

func (s *Suite) log(ctx context.Context, instance string) ([]entry, error) {
	var entries []entry
	return entries, s.call(ctx, http.MethodGet, "/api/log/"+instance, nil, &entries)
}

// stop ends an instance that did not end by itself; that it has ended meanwhile is no error.
func (s *Suite) stop(ctx context.Context, instance string) {
	_ = s.call(ctx, http.MethodDelete, "/api/runner/"+instance, nil, nil) //nolint:errcheck // see above
}

const maxAnswer = 64 << 20

// errSays is an answer of the suite's that is no success.
var errSays = errors.New("the suite says")

// plain is a body that is sent as it is; every other is sent as JSON.
type plain string

func encode(body any) (contentType string, reader io.Reader, err error) {
	const asJSON = "application/json"
	switch body := body.(type) {
	case nil:
		return asJSON, http.NoBody, nil
	case plain:
		return "text/plain", strings.NewReader(string(body)), nil
	}
	text, err := json.Marshal(body)
	if err != nil {
		return "", nil, fmt.Errorf("encode for the suite: %w", err)
	}
	return asJSON, bytes.NewReader(text), nil
}

// call sends a request and decodes the answer. Errors have the suite's own words.
func (s *Suite) call(ctx context.Context, method, path string, body, into any) error {
	contentType, reader, err := encode(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, s.base+path, reader)
	if err != nil {
		return fmt.Errorf("ask the suite: %w", err)
	}
	r.Header.Set("Content-Type", contentType)
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return fmt.Errorf("ask the suite: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %w %d: %.500s", method, path, errSays, answer.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return nil
}
