package facecheck

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"regain/conformance/jose"
	"regain/conformance/mdoc"
	"regain/conformance/people"
	"regain/conformance/proofing/authority"
	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/jwtvc"
	"regain/conformance/proofing/nonce"
	"regain/conformance/sdjwt"
)

// errPresentation means that what the wallet presented is not a Verified ID of this server in its holder's hand.
var errPresentation = errors.New("unacceptable presentation")

// presented is what the Face Check needs of a Verified ID that was presented to it and verified.
type presented struct {
	jti      string // what the receipt calls it
	holder   credential.Holder
	portrait []byte
	digest   string // of the portrait's Disclosure, of the licence's data element, or of the portrait's text
}

// results are what a receipt says: one result, about this photo in this credential.
func (p presented) results(match people.Comparison) []result {
	return []result{{Source: p.jti, Photo: p.digest, Threshold: Threshold, Score: match.Score, Quality: match.Quality}}
}

// reader opens presentations of this server's own Verified IDs.
type reader struct {
	baseURL  string
	vct      string
	issuer   *authority.Signer
	licences *mdoc.Authority
	vcs      *jwtvc.Issuer
	clock    func() time.Time
}

// open verifies a presentation of any format, and returns it with the nonce that the holder signed. beside is the nonce
// that was sent beside an mdoc. The caller spends the nonce.
func (r reader) open(presentation, beside string) (presented, string, error) {
	switch {
	case strings.Contains(presentation, "~"):
		return r.openSDJWT(presentation)
	case strings.Contains(presentation, "."):
		return r.openVC(presentation)
	}
	shown, err := r.openLicence(presentation, beside)
	return shown, beside, err
}

// openSDJWT verifies an SD-JWT+KB made of one of this server's own Verified IDs (RFC 9901 §7.1, §7.3), and
// returns it with the nonce that the holder signed.
func (r reader) openSDJWT(compact string) (presented, string, error) {
	cut := strings.LastIndexByte(compact, '~') + 1
	before, binding := compact[:cut], compact[cut:]
	shown, err := sdjwt.Parse(before)
	if err != nil {
		return presented{}, "", fmt.Errorf("%w: %w", errPresentation, err)
	}
	now := r.clock()
	parsed, err := jose.ParseTyped(shown.JWT(), "dc+sd-jwt")
	if err != nil {
		return presented{}, "", fmt.Errorf("%w: %w", errPresentation, err)
	}
	if c, err := parsed.Chain(); err != nil || !c.Leaf().Equal(r.issuer.Certificate) {
		return presented{}, "", fmt.Errorf("%w: not issued by this issuer", errPresentation)
	}
	var claims credential.VerifiedID
	if err := parsed.Open(r.issuer.Public(), &claims); err != nil {
		return presented{}, "", fmt.Errorf("%w: %w", errPresentation, err)
	}
	if claims.Issuer != r.baseURL || claims.Type != r.vct || claims.Hash != "sha-256" {
		return presented{}, "", fmt.Errorf("%w: not a Verified ID", errPresentation)
	}
	if claims.Issued > now.Add(time.Minute).Unix() || claims.Expires <= now.Unix() || !jose.IsP256(&claims.Holder.Key) {
		return presented{}, "", fmt.Errorf("%w: expired, or without a holder", errPresentation)
	}
	found := presented{jti: claims.ID, holder: credential.Holder{Key: claims.Holder.Key}}
	disclosure, disclosed := shown.Named("portrait")
	portrait, _ := shown.Claims()["portrait"].(string)
	if found.portrait, err = base64.RawURLEncoding.DecodeString(portrait); err != nil || !disclosed {
		return presented{}, "", fmt.Errorf("%w: the portrait is not disclosed, or not base64url", errPresentation)
	}
	found.digest = disclosure.Digest
	signed, err := r.checkBinding(binding, before, claims.Holder.Key)
	return found, signed, err
}

// checkBinding verifies the KB-JWT over everything before it (RFC 9901 §4.3).
func (r reader) checkBinding(binding, before string, holder jose.JWK) (string, error) {
	parsed, err := jose.ParseTyped(binding, "kb+jwt")
	if err != nil {
		return "", fmt.Errorf("%w: key binding: %w", errPresentation, err)
	}
	var claims struct {
		Issued   int64  `json:"iat"`
		Audience string `json:"aud"`
		Nonce    string `json:"nonce"`
		Hash     string `json:"sd_hash"`
	}
	if err := parsed.Open(holder.Key, &claims); err != nil {
		return "", fmt.Errorf("%w: key binding: %w", errPresentation, err)
	}
	switch {
	case claims.Audience != r.baseURL:
		return "", fmt.Errorf("%w: the key binding is meant for somebody else", errPresentation)
	case claims.Hash != sdjwt.Digest(before):
		return "", fmt.Errorf("%w: the key binding is about another presentation", errPresentation)
	case !jose.Fresh(claims.Issued, r.clock(), nonce.Life):
		return "", fmt.Errorf("%w: the key binding is not of now", errPresentation)
	}
	return claims.Nonce, nil
}

// openLicence verifies a licence that its holder presents to the Face Check as OpenID4VP has it: to this credential
// issuer, for a c_nonce, with the Face Check's URL where the answer goes, and not encrypted.
func (r reader) openLicence(presentation, nonce string) (presented, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(presentation)
	if err != nil {
		return presented{}, fmt.Errorf("%w: neither an SD-JWT nor base64url", errPresentation)
	}
	transcript, err := mdoc.Redirect(r.baseURL, nonce, nil, r.baseURL+Path)
	if err != nil {
		return presented{}, err
	}
	shown, err := r.licences.Open(raw, transcript, r.clock())
	if err != nil {
		return presented{}, fmt.Errorf("%w: %w", errPresentation, err)
	}
	d := shown.Document
	holder := credential.Holder{Key: jose.JWK{Key: d.DeviceKey()}}
	return presented{jti: d.ID(), holder: holder, portrait: shown.Portrait, digest: shown.Digest}, nil
}

// openVC verifies a JWT VC that its holder presents to the Face Check in a VP of the JWT VC Presentation Profile.
func (r reader) openVC(compact string) (presented, string, error) {
	shown, err := r.vcs.Open(compact, credential.IdentityType, r.baseURL, r.clock())
	if err != nil {
		return presented{}, "", fmt.Errorf("%w: %w", errPresentation, err)
	}
	holder := credential.Holder{DID: shown.Holder}
	return presented{jti: shown.ID, holder: holder, portrait: shown.Portrait, digest: shown.Digest}, shown.Nonce, nil
}
