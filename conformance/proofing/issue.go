package proofing

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/conformance/people"
	"regain/conformance/proofing/jws"
)

// verifiedIDLife is how long a Verified ID lasts.
const verifiedIDLife = 180 * 24 * time.Hour

// decoys is the number of digests without a disclosure in each Verified ID (RFC 9901 §4.2.5).
const decoys = 2

// credential is what the provider remembers of a Verified ID: where its status stands.
type credential struct {
	list  *statusList
	index int
}

// Issued is a Verified ID with its identifier.
type Issued struct {
	JTI        string // jti; a licence is named by a digest (docs/protocols.md section 3)
	Credential string // the SD-JWT VC with all its disclosures, the licence's IssuerSigned as base64url, or the JWT VC
}

// bound is what a credential is bound to: a key, and for a JWT VC the DID that the key is of.
type bound struct {
	key jose.JSONWebKey // public; on P-256 but for a DID
	did string          // "" but for a JWT VC
}

// Format keeps a DID, which is a name of a person, out of every verb of fmt.
func (bound) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, redacted) }

// same reports whether two credentials would have one holder.
func (b bound) same(other bound) bool {
	if b.did != "" || other.did != "" {
		return b.did == other.did
	}
	public, ok := b.key.Key.(*ecdsa.PublicKey)
	return ok && public.Equal(other.key.Key)
}

// Issue makes a Verified ID for a sample person, bound to the holder's public P-256 key, as the wallet would get it.
// It is for tests that don't want to walk through the pages.
func (s *Server) Issue(personID string, holder jose.JSONWebKey) (Issued, error) {
	return s.issueToKey(personID, ConfigurationID, holder)
}

// IssueLicence is Issue for a mobile driving licence.
func (s *Server) IssueLicence(personID string, holder jose.JSONWebKey) (Issued, error) {
	return s.issueToKey(personID, LicenceID, holder)
}

func (s *Server) issueToKey(personID, configuration string, holder jose.JSONWebKey) (Issued, error) {
	if !jws.PublicP256(&holder) {
		return Issued{}, fmt.Errorf("issuing to %q: the holder's key is no public P-256 key", personID)
	}
	return s.issueTo(personID, configuration, bound{key: holder})
}

func (s *Server) issueTo(personID, configuration string, holder bound) (Issued, error) {
	person, found := people.Find(personID)
	if !found {
		return Issued{}, fmt.Errorf("issuing to %q: no such person", personID)
	}
	file, err := s.newDossier(person)
	if err != nil {
		return Issued{}, err
	}
	return s.issue(configuration, file, holder)
}

// issue makes a credential of the configuration.
func (s *Server) issue(configuration string, file dossier, holder bound) (Issued, error) {
	// To the hour: copies of one credential that were made in the same second could be told to belong together
	// (RFC 9901 §10.1).
	now := s.config.Clock().Truncate(time.Hour)
	switch configuration {
	case LicenceID:
		return s.issueLicence(file, holder.key, now)
	case JWTID:
		return s.issueVC(file, holder, now)
	}
	return s.issueVerifiedID(file, holder.key, now)
}

// verifiedID is the payload of a Verified ID: what is always open, and the digests of the rest.
type verifiedID struct {
	Issuer  string    `json:"iss"`
	Type    string    `json:"vct"`
	ID      string    `json:"jti"`
	Issued  int64     `json:"iat"`
	Expires int64     `json:"exp"`
	Holder  holderKey `json:"cnf"`
	Status  statusRef `json:"status"`
	Hash    string    `json:"_sd_alg"`
	Digests []string  `json:"_sd"`
}

type holderKey struct {
	Key jose.JSONWebKey `json:"jwk"`
}

type statusRef struct {
	List struct {
		Index int    `json:"idx"`
		URI   string `json:"uri"`
	} `json:"status_list"`
}

func (s *Server) issueVerifiedID(file dossier, holder jose.JSONWebKey, now time.Time) (Issued, error) {
	id, err := s.identifier()
	if err != nil {
		return Issued{}, err
	}
	disclosures, digests, err := s.disclose(file)
	if err != nil {
		return Issued{}, err
	}
	record, err := s.enroll(file.person.Reported)
	if err != nil {
		return Issued{}, err
	}
	s.remember(id, record)
	payload := verifiedID{
		Issuer: s.config.BaseURL, Type: s.config.Type, ID: id, Issued: now.Unix(), Expires: now.Add(verifiedIDLife).Unix(),
		Holder: bare(holder), Hash: "sha-256", Digests: digests,
	}
	payload.Status.List.Index, payload.Status.List.URI = record.index, record.list.uri
	open, err := json.Marshal(payload)
	if err != nil {
		return Issued{}, fmt.Errorf("writing a Verified ID: %w", err)
	}
	signed, err := s.ca.issuer.sign("dc+sd-jwt", open)
	if err != nil {
		return Issued{}, err
	}
	return Issued{JTI: id, Credential: signed + "~" + strings.Join(disclosures, "~") + "~"}, nil
}

// bare keeps the key and drops what else a wallet wrote into its JWK.
func bare(key jose.JSONWebKey) holderKey { return holderKey{Key: jose.JSONWebKey{Key: key.Key}} }

// disclose writes one disclosure for each claim (RFC 9901 §4.2.1) and sorts the digests with some decoys among them,
// so that neither order nor number says anything.
func (s *Server) disclose(file dossier) (disclosures, digests []string, err error) {
	for _, c := range file.claims() {
		salt, err := s.token(16)
		if err != nil {
			return nil, nil, err
		}
		plain, err := json.Marshal([]string{salt, c.name, c.value})
		if err != nil {
			return nil, nil, fmt.Errorf("writing a disclosure: %w", err)
		}
		disclosure := base64.RawURLEncoding.EncodeToString(plain)
		disclosures, digests = append(disclosures, disclosure), append(digests, digest(disclosure))
	}
	for range decoys {
		var noise [32]byte
		if _, err := io.ReadFull(s.config.Random, noise[:]); err != nil {
			return nil, nil, fmt.Errorf("drawing a decoy: %w", err)
		}
		digests = append(digests, digest(string(noise[:])))
	}
	slices.Sort(digests)
	return disclosures, digests, nil
}
