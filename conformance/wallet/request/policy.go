package request

import (
	"encoding/json"
	"slices"
	"strings"

	"regain/conformance/jose"
)

// Prefix is a Client Identifier Prefix (OpenID4VP 1.0 §5.9.3).
type Prefix string

// The prefixes that the wallet can do. Origin is what a sender over the Digital Credentials API is
// known by when it signs nothing; in a request it is reserved and refused.
const (
	PreRegistered           Prefix = "pre-registered" // no prefix at all
	RedirectURI             Prefix = "redirect_uri"
	X509Hash                Prefix = "x509_hash"
	X509SANDNS              Prefix = "x509_san_dns"
	DecentralizedIdentifier Prefix = "decentralized_identifier"
	VerifierAttestation     Prefix = "verifier_attestation"
	Origin                  Prefix = "origin"
)

// AccountRecovery is the type of transaction data that every wallet of ours knows.
const AccountRecovery = "urn:regain:account-recovery:1"

// Policy says which requests the wallet takes. The zero value is the strictest: only verifiers
// whom somebody vouches for, and only encrypted answers.
type Policy struct {
	// Prefixes that are taken. When nil, those whose trust is configured: certificates always,
	// attestations with Attesters, registrations with Clients. DIDs and redirect URIs anybody can
	// make, so they are taken only when they are named here.
	Prefixes []Prefix

	Attesters    map[string]jose.JWKSet     // issuers of verifier attestations and their keys
	Clients      map[string]Client          // pre-registered verifiers by client_id
	Scopes       map[string]json.RawMessage // scope values that stand for a DCQL query, OpenID4VP 1.0 §5.5
	Transactions map[string]TransactionType // types of transaction data; nil: account recovery

	Plain        bool // takes response modes that do not encrypt
	SealedObject bool // request objects that are fetched by POST have to be encrypted to the wallet, OpenID4VP 1.0 §5.10
	// UntypedObject takes unsigned request objects without typ, which OpenID4VP 1.0 §5 forbids and the OpenID
	// Foundation's suite sends. They are not signed, so nothing else can be passed off as one.
	UntypedObject bool
	// LiteralPlus takes a + in a link for itself. In application/x-www-form-urlencoded it is a
	// space; the OpenID Foundation's suite writes dc+sd-jwt into links as it is.
	LiteralPlus bool
}

// Client is what the wallet knows of a verifier in advance.
type Client struct {
	Name         string
	Keys         []jose.JWK      // one of which signs its requests; none: it signs nothing
	Metadata     json.RawMessage // its client_metadata; nil: it comes with each request
	ResponseURIs []string        // where its answers may go; nil: anywhere, for a client that signs
}

// TransactionType is a type of transaction data: the members beyond those that every type has
// (OpenID4VP 1.0 §5.1), all of them text.
type TransactionType struct {
	Required []string
	Optional []string
}

// accountRecovery names the account and the organisation where it is recovered.
func accountRecovery() TransactionType {
	return TransactionType{Required: []string{"account", "organisation"}}
}

func (p Policy) transactionType(name string) (TransactionType, bool) {
	if p.Transactions == nil {
		return accountRecovery(), name == AccountRecovery
	}
	t, ok := p.Transactions[name]
	return t, ok
}

// prefixes are those that are taken.
func (p Policy) prefixes() []Prefix {
	if p.Prefixes != nil {
		return p.Prefixes
	}
	taken := []Prefix{X509Hash, X509SANDNS}
	if len(p.Attesters) > 0 {
		taken = append(taken, VerifierAttestation)
	}
	if len(p.Clients) > 0 {
		taken = append(taken, PreRegistered)
	}
	return taken
}

// split finds the prefix of a client_id and the part behind it. A prefix that is not taken is a
// part of the name of somebody who is registered, or it is refused (OpenID4VP 1.0 §5.9.2).
func (p Policy) split(clientID string) (Prefix, string, error) {
	taken := p.prefixes()
	before, behind, found := strings.Cut(clientID, ":")
	if prefix := Prefix(before); found && prefix != PreRegistered && slices.Contains(taken, prefix) {
		return prefix, behind, nil
	}
	_, registered := p.Clients[clientID]
	if registered && slices.Contains(taken, PreRegistered) && Prefix(before) != Origin {
		return PreRegistered, clientID, nil
	}
	return "", "", turnDown(InvalidRequest, "client_id has no prefix that this wallet takes, and is registered with nobody")
}
