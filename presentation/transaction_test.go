package presentation_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"regain/presentation"
	"regain/presentation/dcql"
)

// withData is a request that tells the wallet which account is recovered.
func withData(t fatal, p presentation.Profile) presentation.Request {
	t.Helper()
	r, err := p.NewRequest(presentation.RequestParams{
		ResponseURI: responseURI, Query: recoveryQuery(t), Lifetime: 5 * time.Minute,
		TransactionData: []presentation.TransactionData{presentation.NewTransactionData("a•••@example.org", "Bücher & Söhne", dcql.VerifiedID)},
	}, rand.Reader, noon)
	return must(t, r, err)
}

// Each object is base64url of its JSON (§5.1), the same text in every fetch: the wallet's hashes are over it.
func TestTransactionData(t *testing.T) {
	p := newProfile(t)
	r := withData(t, p)
	object, err := p.RequestObject(r, presentation.RequestObjectParams{Now: noon})
	must(t, object, err)
	sent, _ := payload(t, object)["transaction_data"].([]any)
	if len(sent) != 1 || len(r.TransactionData) != 1 || sent[0] != r.TransactionData[0] {
		t.Fatalf("sent %v, remembered %v", sent, r.TransactionData)
	}
	raw, err := base64.RawURLEncoding.DecodeString(r.TransactionData[0])
	must(t, raw, err)
	want := map[string]any{
		"type": "urn:regain:account-recovery:1", "credential_ids": []any{"verified_id"}, "transaction_data_hashes_alg": []any{"sha-256"},
		"account": "a•••@example.org", "organisation": "Bücher & Söhne",
	}
	if got := objectOf(t, raw); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// What a wallet would refuse (§8.5), or the verifier could not check, is not sent.
func TestTransactionDataThatIsRefused(t *testing.T) {
	type data = presentation.TransactionData
	unbound := false
	query := recoveryQuery(t)
	query.Credentials = append(query.Credentials,
		dcql.Credential{ID: "mdoc", Format: dcql.FormatMdoc, Meta: &dcql.Meta{DoctypeValue: "org.iso.18013.5.1.mDL"}},
		dcql.Credential{ID: "jwt_vc", Format: dcql.FormatJWTVC, Meta: &dcql.Meta{TypeValues: [][]string{{"x"}}}},
		dcql.Credential{ID: "ticket", Format: dcql.FormatSDJWT, Meta: &dcql.Meta{VCTValues: []string{"x"}}, HolderBinding: &unbound},
	)
	for name, change := range map[string]func(d *data){
		"no type":             func(d *data) { d.Type = "" },
		"no credential":       func(d *data) { d.CredentialIDs = nil },
		"another credential":  func(d *data) { d.CredentialIDs = []string{"passport"} },
		"one of two":          func(d *data) { d.CredentialIDs = append(d.CredentialIDs, "passport") },
		"one twice":           func(d *data) { d.CredentialIDs = append(d.CredentialIDs, dcql.VerifiedID) },
		"an mdoc":             func(d *data) { d.CredentialIDs = []string{"mdoc"} },
		"a JWT VC":            func(d *data) { d.CredentialIDs = []string{"jwt_vc"} },
		"nobody's credential": func(d *data) { d.CredentialIDs = []string{"ticket"} },
		"no hash":             func(d *data) { d.HashAlgorithms = nil },
		"another hash":        func(d *data) { d.HashAlgorithms = []string{"sha-512"} },
		"another hash too":    func(d *data) { d.HashAlgorithms = []string{"sha-256", "sha-512"} },
	} {
		d := presentation.NewTransactionData("a•••", "Example", dcql.VerifiedID)
		change(&d)
		params := presentation.RequestParams{ResponseURI: responseURI, Query: query, Lifetime: time.Minute, TransactionData: []data{d}}
		if _, err := newProfile(t).NewRequest(params, rand.Reader, noon); err == nil || !strings.Contains(err.Error(), "transaction_data") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTransactionDataIsNotLogged(t *testing.T) {
	d := presentation.NewTransactionData("account@example.org", "Example", dcql.VerifiedID)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", d)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		log.WriteString(fmt.Sprintf(verb, d) + fmt.Sprintf(verb, []presentation.TransactionData{d}))
	}
	if strings.Contains(log.String(), "account@") || !strings.Contains(log.String(), presentation.TransactionType) {
		t.Errorf("shown: %s", log.String())
	}
}
