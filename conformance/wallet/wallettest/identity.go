package wallettest

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/wallet"
	"regain/conformance/wallet/request"
)

const (
	// VerifierHost is the name that the verifier of a test has.
	VerifierHost = "verifier.localhost"
	// AttesterID is the issuer of verifier attestations in a test.
	AttesterID = "https://attester.example"
)

// As makes the verifier ask under another client_id, one of a request.Prefix, or did:jwk, which is
// a decentralized_identifier too. The policy lets the wallet take it; Remake has still to be called.
func (w *Env) As(t testing.TB, kind string) {
	t.Helper()
	v := w.Verifier
	w.Config.Requests.Prefixes = []request.Prefix{
		request.X509Hash, request.X509SANDNS, request.RedirectURI, request.DecentralizedIdentifier, request.VerifierAttestation, request.PreRegistered,
	}
	switch kind {
	case string(request.X509Hash):
	case string(request.X509SANDNS):
		v.Signs = w.Roots.PartyFor(t, "Contoso Recovery", VerifierHost)
		v.ClientID = "x509_san_dns:" + VerifierHost
		v.Base = strings.Replace(v.Server.URL, "127.0.0.1", VerifierHost, 1)
	case string(request.RedirectURI):
		v.ClientID = "redirect_uri:" + v.ResponseURI()
		v.SignJWT = func(typ string, claims any) string { return Unsigned(t, typ, claims) }
	case string(request.DecentralizedIdentifier):
		w.asDIDWeb(t)
	case "did:jwk":
		raw := ToJSON(t, jose.JWK{Key: &v.Signs.Key.PublicKey})
		v.asDID(t, "did:jwk:"+Encode([]byte(raw)), "0")
	case string(request.VerifierAttestation):
		w.asAttested(t)
	case string(request.PreRegistered):
		v.ClientID = "contoso"
		key := jose.JWK{Key: &v.Signs.Key.PublicKey, KeyID: "1"}
		w.Config.Requests.Clients = map[string]request.Client{"contoso": {Name: "Contoso Recovery", Keys: []jose.JWK{key}}}
		v.SignJWT = keyed(t, v.Signs.Key, map[string]any{"kid": "1"})
	default:
		t.Fatalf("no such kind of client_id: %s", kind)
	}
}

// asDIDWeb serves the verifier's DID document over TLS, as did:web wants it.
func (w *Env) asDIDWeb(t testing.TB) {
	t.Helper()
	authority := NewAuthority(t, "Web PKI")
	party := authority.PartyFor(t, VerifierHost, VerifierHost)
	server := httptest.NewUnstartedServer(w.Verifier)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: party.DER, PrivateKey: party.Key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	w.Config.HTTPClient = trusting(t, authority.Pool())
	port := server.URL[strings.LastIndexByte(server.URL, ':')+1:]
	did := "did:web:" + VerifierHost + "%3A" + port + ":verifiers:contoso"
	w.Verifier.asDID(t, did, "key-1")
	w.Verifier.DID = map[string]any{"id": did, "verificationMethod": []any{
		map[string]any{"id": did + "#key-0", "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": jose.JWK{Key: &NewKey(t).PublicKey}},
		map[string]any{"id": did + "#key-1", "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": jose.JWK{Key: &w.Verifier.Signs.Key.PublicKey}},
	}}
}

// trusting is a client that believes the roots at noon.
func trusting(t testing.TB, roots *x509.CertPool) *http.Client {
	t.Helper()
	client := wallet.NewHTTPClient(10 * time.Second)
	transport, ok := client.Transport.(*http.Transport)
	if !ok {
		t.Fatal("the wallet's client has a transport of its own")
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, Time: Noon, MinVersion: tls.VersionTLS12}
	return client
}

func (v *Verifier) asDID(t testing.TB, did, fragment string) {
	t.Helper()
	v.ClientID = "decentralized_identifier:" + did
	v.SignJWT = keyed(t, v.Signs.Key, map[string]any{"kid": did + "#" + fragment})
}

// asAttested has an attester vouch for the verifier (OpenID4VP 1.0 §12).
func (w *Env) asAttested(t testing.TB) {
	t.Helper()
	attester := NewKey(t)
	w.Config.Requests.Attesters = map[string]jose.JWKSet{AttesterID: {Keys: []jose.JWK{{Key: &attester.PublicKey, KeyID: "a"}}}}
	v := w.Verifier
	v.ClientID = "verifier_attestation:contoso.example"
	v.Attestation = map[string]any{
		"iss": AttesterID, "sub": "contoso.example", "exp": Noon().Add(time.Hour).Unix(), "redirect_uris": []string{v.ResponseURI()},
		"cnf": map[string]any{"jwk": jose.JWK{Key: &v.Signs.Key.PublicKey}},
	}
	v.AttestationTyp = "verifier-attestation+jwt"
	v.SignJWT = func(typ string, claims any) string {
		attestation := keyed(t, attester, nil)(v.AttestationTyp, v.Attestation)
		return keyed(t, v.Signs.Key, map[string]any{"jwt": attestation})(typ, claims)
	}
}

// keyed is SignAs for one key and header.
func keyed(t testing.TB, key *ecdsa.PrivateKey, header map[string]any) func(string, any) string {
	return func(typ string, claims any) string {
		t.Helper()
		return SignAs(t, key, typ, header, claims)
	}
}

// LinkWith is a link with one of its parameters changed.
func (v *Verifier) LinkWith(method string, spoil func(url.Values)) string {
	v.T.Helper()
	base, raw, _ := strings.Cut(v.Link(method), "?")
	query, err := url.ParseQuery(raw)
	if err != nil {
		v.T.Fatal(err)
	}
	spoil(query)
	return base + "?" + query.Encode()
}
