package entra

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"regain/conformance/jose"
)

// metadata is what the reference requires of the provider's discovery document.
type metadata struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	JWKSURI       string   `json:"jwks_uri"`
	Scopes        []string `json:"scopes_supported"`
	ResponseTypes []string `json:"response_types_supported"`
	ResponseModes []string `json:"response_modes_supported"`
	SubjectTypes  []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	ClaimTypes    []string `json:"claim_types_supported"`
}

func (t *Tenant) discover(r *http.Request) (metadata, error) {
	var m metadata
	if err := t.get(r, t.cfg.Discovery, &m); err != nil {
		return m, err
	}
	for what, missing := range map[string]bool{
		"issuer":                                !strings.HasPrefix(t.cfg.Discovery, m.Issuer+"/.well-known/"),
		"authorization_endpoint":                m.Authorization == "",
		"jwks_uri":                              m.JWKSURI == "" || strings.Contains(m.JWKSURI, "?"),
		"scopes_supported":                      !slices.Contains(m.Scopes, "openid"),
		"response_types_supported":              !slices.Contains(m.ResponseTypes, "id_token"),
		"response_modes_supported":              !slices.Contains(m.ResponseModes, "form_post"),
		"subject_types_supported":               len(m.SubjectTypes) == 0,
		"id_token_signing_alg_values_supported": !slices.Contains(m.Algorithms, "RS256"),
		"claim_types_supported":                 len(m.ClaimTypes) > 0 && !slices.Contains(m.ClaimTypes, "normal"),
	} {
		if missing {
			return m, fmt.Errorf("the provider's metadata: %s is not as required", what)
		}
	}
	return m, nil
}

func (t *Tenant) authorizationEndpoint(r *http.Request) (string, error) {
	m, err := t.discover(r)
	return m.Authorization, err
}

func (t *Tenant) get(r *http.Request, address string, into any) error {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := t.cfg.HTTPClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.ContentLength <= 0 {
		return fmt.Errorf("%s: status %d, Content-Length %d", address, response.StatusCode, response.ContentLength)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// judge is the table "Microsoft Entra ID validates" of the reference.
func (t *Tenant) judge(r *http.Request) Outcome {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		return Outcome{Why: "not a posted form"}
	}
	o := Outcome{Fields: slices.Sorted(maps.Keys(r.PostForm))}
	t.mu.Lock()
	a, known := t.pending[r.PostForm.Get("state")]
	delete(t.pending, r.PostForm.Get("state"))
	t.mu.Unlock()
	switch {
	case !known:
		o.Why = "state is unknown"
	case t.cfg.Clock().Sub(a.at) > 5*time.Minute:
		o.Why = "the attempt timed out"
	case r.PostForm.Get("error") != "":
		o.Why = r.PostForm.Get("error")
	default:
		if err := t.check(r, r.PostForm, a, &o); err != nil {
			o.Why = err.Error()
		} else {
			o.Satisfied = true
		}
	}
	return o
}

func (t *Tenant) check(r *http.Request, form url.Values, a attempt, o *Outcome) error {
	m, err := t.discover(r)
	if err != nil {
		return err
	}
	var set jose.JWKSet
	if err := t.get(r, m.JWKSURI, &set); err != nil {
		return err
	}
	for _, key := range set.Keys {
		if key.Certificate == nil {
			return fmt.Errorf("key %s has no x5c", key.KeyID)
		}
	}
	token, err := jose.Parse(form.Get("id_token"))
	if err != nil {
		return err
	}
	keys := set.Key(token.KeyID)
	if len(keys) != 1 || token.Algorithm != jose.RS256 {
		return errors.New("the kid names no key, or alg is not RS256")
	}
	if err := token.Open(keys[0].Certificate.PublicKey, &o.Claims); err != nil {
		return err
	}
	return t.checkClaims(o.Claims, m.Issuer, a)
}

func (t *Tenant) checkClaims(c map[string]any, issuer string, a attempt) error {
	now := float64(t.cfg.Clock().Unix())
	exp, _ := c["exp"].(float64)
	iat, _ := c["iat"].(float64)
	acr, _ := c["acr"].(string)
	amr, _ := c["amr"].([]any)
	switch {
	case c["iss"] != issuer, c["aud"] != t.cfg.ClientID, c["sub"] != a.subject, c["nonce"] != a.nonce:
		return errors.New("iss, aud, sub or nonce is wrong")
	case exp <= now, iat > now, iat == 0:
		return errors.New("exp or iat is wrong")
	case !slices.Contains(t.cfg.ACR, acr):
		return errors.New("acr is not one of those requested")
	case len(amr) != 1:
		return errors.New("amr is not an array of one")
	}
	method, _ := amr[0].(string)
	kind := "possession"
	if slices.Contains([]string{"face", "fpt", "iris", "retina", "vbm"}, method) {
		kind = "inherence"
	}
	if !slices.Contains(t.cfg.AMR, method) || !slices.Contains(strings.Split(acr, "or"), kind) {
		return errors.New("amr is not one of those requested, or not of the acr's type")
	}
	return nil
}
