package request

import (
	"context"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
	"regain/conformance/wallet/address"
	"regain/conformance/wallet/agent"
)

// claimed is who a sender says it is.
type claimed struct {
	prefix   Prefix
	name     string // the client_id without its prefix
	clientID string // with it
	digital  bool   // over the Digital Credentials API, where the answer goes to the origin
}

// sender is who sent a request, proven, and what was proven to be its word.
type sender struct {
	Verifier
	payload    json.RawMessage
	signed     bool
	registered *Client               // what was known before
	mayReceive func(uri string) bool // whether the answer may go there; nil: anywhere
}

// authenticate makes sure that the object comes from the client_id.
func (r *Reader) authenticate(ctx context.Context, who claimed, o object) (sender, error) {
	var s sender
	var err error
	switch who.prefix {
	case RedirectURI:
		s, err = r.unsigned(who, o)
	case X509Hash, X509SANDNS:
		s, err = r.byCertificate(who, o)
	case DecentralizedIdentifier:
		s, err = r.byDID(ctx, who, o)
	case VerifierAttestation:
		s, err = r.byAttestation(who, o)
	case PreRegistered:
		s, err = r.byRegistration(who, o)
	default:
		err = turnDown(InvalidRequest, "client_id has a prefix that is not for requests")
	}
	if err != nil {
		return sender{}, err
	}
	s.ClientID, s.Prefix = who.clientID, who.prefix
	return s, nil
}

// unsigned takes a request without a signature: its client_id is where the answer goes, so a forger
// gets nothing (OpenID4VP 1.0 §5.9.3, redirect_uri).
func (r *Reader) unsigned(who claimed, o object) (sender, error) {
	if who.digital {
		return sender{}, turnDown(InvalidRequest, "a request of this client_id cannot be signed")
	}
	payload, err := r.open(o)
	if err != nil {
		return sender{}, err
	}
	u, err := address.Check(who.name)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "client_id: %w", err)
	}
	return sender{
		Verifier: Verifier{Name: u.Host}, payload: payload,
		mayReceive: func(uri string) bool { return uri == who.name },
	}, nil
}

// open reads parameters, or a request object with alg none.
func (r *Reader) open(o object) (json.RawMessage, error) {
	if o.parameters != nil {
		return o.parameters, nil
	}
	token, err := jose.Parse(o.compact)
	if err != nil {
		return nil, turnDown(InvalidRequest, "%w", err)
	}
	payload, err := token.OpenUnsigned()
	if err != nil {
		return nil, turnDown(InvalidRequest, "a request of this client_id cannot be signed: %w", err)
	}
	if token.Type != objectType && (token.Type != "" || !r.Policy.UntypedObject) {
		return nil, turnDown(InvalidRequest, "its typ is not %s", objectType)
	}
	return payload, nil
}

// mustBeSigned returns the request object of a sender that has to sign.
func mustBeSigned(o object) (string, error) {
	if o.parameters != nil {
		return "", turnDown(InvalidRequest, "a request of this client_id has to be signed")
	}
	return o.compact, nil
}

// byCertificate takes a request that is signed with a certificate of the anchors'. For x509_hash
// the certificate's hash, for x509_san_dns a DNS name in it, is who asks.
func (r *Reader) byCertificate(who claimed, o object) (sender, error) {
	compact, err := mustBeSigned(o)
	if err != nil {
		return sender{}, err
	}
	token, err := jose.ParseTyped(compact, objectType)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	payload, signer, err := token.VerifyChained(r.Anchors, r.Clock())
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	s := sender{Verifier: Verifier{Name: agent.Clip(signer.Name()), Authenticated: true}, payload: payload, signed: true}
	if who.prefix == X509Hash {
		if who.name != signer.Hash() {
			return sender{}, turnDown(InvalidRequest, "client_id is not the hash of the certificate that signed")
		}
		return s, nil
	}
	if !slices.ContainsFunc(signer.Leaf().DNSNames, func(san string) bool { return strings.EqualFold(san, who.name) }) {
		return sender{}, turnDown(InvalidRequest, "client_id is not a DNS name of the certificate that signed")
	}
	// No list of trusted client_ids is kept here, so the answer stays under the name that was proven.
	s.mayReceive = func(uri string) bool {
		u, err := address.Check(uri)
		return err == nil && strings.EqualFold(u.Hostname(), who.name)
	}
	return s, nil
}

// byRegistration takes a request of somebody who is known, signed if a key is known too.
func (r *Reader) byRegistration(who claimed, o object) (sender, error) {
	client := r.Policy.Clients[who.clientID]
	s := sender{Verifier: Verifier{Name: client.Name}, registered: &client}
	if s.Name == "" {
		s.Name = agent.Clip(who.clientID)
	}
	if client.ResponseURIs != nil {
		s.mayReceive = func(uri string) bool { return slices.Contains(client.ResponseURIs, uri) }
	}
	if len(client.Keys) == 0 {
		if client.ResponseURIs == nil { // or anybody could have an answer sent to themselves in its name
			return sender{}, turnDown(InvalidRequest, "the client has neither a key nor response URIs registered")
		}
		payload, err := r.open(o)
		s.payload = payload
		return s, err
	}
	compact, err := mustBeSigned(o)
	if err != nil {
		return sender{}, err
	}
	token, err := jose.ParseTyped(compact, objectType)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	payload, err := verifyAny(token, client.Keys)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "verifying with the registered keys: %w", err)
	}
	s.payload, s.signed, s.Authenticated = payload, true, true
	return s, nil
}
