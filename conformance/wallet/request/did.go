package request

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/address"
	"regain/conformance/wallet/jws"
)

// byDID takes a request that is signed by a key of the DID: the one that the header's kid, a DID
// URL, names among its verification methods (§5.9.3).
func (r *Reader) byDID(ctx context.Context, who claimed, o object) (sender, error) {
	compact, err := mustBeSigned(o)
	if err != nil {
		return sender{}, err
	}
	header, err := jws.ReadHeader(compact)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	did, fragment, found := strings.Cut(header.KeyID, "#")
	if !found || fragment == "" || did != who.name {
		return sender{}, turnDown(InvalidRequest, "kid is not a DID URL of the client_id's DID")
	}
	key, err := r.verificationMethod(ctx, did, fragment)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "resolving the DID: %w", err)
	}
	payload, err := jws.VerifyKey(compact, objectType, key)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	return sender{Verifier: Verifier{Name: clip(did), Authenticated: true}, payload: payload, signed: true}, nil
}

func (r *Reader) verificationMethod(ctx context.Context, did, fragment string) (any, error) {
	switch {
	case strings.HasPrefix(did, "did:jwk:"):
		return didJWK(strings.TrimPrefix(did, "did:jwk:"), fragment)
	case strings.HasPrefix(did, "did:web:"):
		location, err := webLocation(strings.TrimPrefix(did, "did:web:"))
		if err != nil {
			return nil, err
		}
		return r.didDocument(ctx, did, fragment, location)
	}
	return nil, errors.New("it is of a method that this wallet does not know")
}

// didJWK reads the key that the DID itself is; its one verification method is #0 (did:jwk, §3).
func didJWK(encoded, fragment string) (any, error) {
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || fragment != "0" {
		return nil, errors.New("it is not base64url, or another method than #0 is named")
	}
	return publicKey(raw)
}

func publicKey(raw []byte) (any, error) {
	var key jose.JSONWebKey
	if err := json.Unmarshal(raw, &key); err != nil || !key.Valid() {
		return nil, errors.New("its key is not a JWK of a kind that this wallet knows")
	}
	if !key.IsPublic() {
		return nil, errors.New("its key is not public")
	}
	return key.Key, nil
}

// webLocation is where a did:web's document lies (did:web, §3.2). Only https is meant there.
func webLocation(id string) (string, error) {
	var parts []string
	for _, segment := range strings.Split(id, ":") {
		part, err := url.PathUnescape(segment)
		if err != nil || part == "" || strings.ContainsAny(part, "/?#@\\") {
			return "", errors.New("it is malformed")
		}
		parts = append(parts, part)
	}
	path := "/.well-known"
	if len(parts) > 1 {
		path = "/" + strings.Join(parts[1:], "/")
	}
	location := (&url.URL{Scheme: "https", Host: parts[0], Path: path + "/did.json"}).String()
	return location, address.CheckEndpoint(location)
}

// didDocument fetches a DID document and takes the one verification method from it.
func (r *Reader) didDocument(ctx context.Context, did, fragment, location string) (any, error) {
	body, mediaType, err := r.Transport.Get(ctx, location, "application/did+json, application/did+ld+json, application/json")
	if err != nil {
		return nil, fmt.Errorf("fetching its document: %w", err)
	}
	if !slices.Contains([]string{"application/did+json", "application/did+ld+json", "application/json"}, mediaType) {
		return nil, fmt.Errorf("its document is %s", mediaType)
	}
	var document struct {
		ID      string `json:"id"`
		Methods []struct {
			ID         string          `json:"id"`
			Controller string          `json:"controller"`
			Key        json.RawMessage `json:"publicKeyJwk"`
		} `json:"verificationMethod"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return nil, errors.New("its document is not the JSON expected")
	}
	if document.ID != did {
		return nil, errors.New("its document is another DID's")
	}
	for _, method := range document.Methods {
		if method.ID != did+"#"+fragment && method.ID != "#"+fragment {
			continue
		}
		if method.Controller != did {
			return nil, errors.New("the key that is named is controlled by somebody else")
		}
		return publicKey(method.Key)
	}
	return nil, errors.New("its document has no such key")
}
