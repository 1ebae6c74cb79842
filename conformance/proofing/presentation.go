package proofing

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"regain/conformance/jose"
	"regain/conformance/people"
	"regain/conformance/sdjwt"
)

// errPresentation means that what the wallet presented is not a Verified ID of this server in its holder's hand.
var errPresentation = errors.New("unacceptable presentation")

// presented is what the Face Check needs of a Verified ID that was presented to it and verified.
type presented struct {
	jti      string // what the receipt calls it
	holder   bound
	portrait []byte
	digest   string // of the portrait's Disclosure, of the licence's data element, or of the portrait's text
}

// results are what a receipt says: one result, about this photo in this credential.
func (p presented) results(match people.Comparison) []faceCheckResult {
	return []faceCheckResult{{Source: p.jti, Photo: p.digest, Threshold: threshold, Score: match.Score, Quality: match.Quality}}
}

// openPresentation verifies an SD-JWT+KB made of one of this server's own Verified IDs (RFC 9901 §7.1, §7.3), and
// returns it with the nonce that the holder signed. The caller spends the nonce.
func (s *Server) openPresentation(compact string) (presented, string, error) {
	cut := strings.LastIndexByte(compact, '~') + 1
	before, binding := compact[:cut], compact[cut:]
	shown, err := sdjwt.Parse(before)
	if err != nil {
		return presented{}, "", fmt.Errorf("%w: %w", errPresentation, err)
	}
	now := s.config.Clock()
	parsed, err := jose.ParseTyped(shown.JWT(), "dc+sd-jwt")
	if err != nil {
		return presented{}, "", fmt.Errorf("%w: %w", errPresentation, err)
	}
	if c, err := parsed.Chain(); err != nil || !c.Leaf().Equal(s.ca.issuer.certificate) {
		return presented{}, "", fmt.Errorf("%w: not issued by this issuer", errPresentation)
	}
	var claims verifiedID
	if err := parsed.Open(s.ca.issuer.key.Public(), &claims); err != nil {
		return presented{}, "", fmt.Errorf("%w: %w", errPresentation, err)
	}
	if claims.Issuer != s.config.BaseURL || claims.Type != s.config.Type || claims.Hash != "sha-256" {
		return presented{}, "", fmt.Errorf("%w: not a Verified ID", errPresentation)
	}
	if claims.Issued > now.Add(time.Minute).Unix() || claims.Expires <= now.Unix() || !jose.IsP256(&claims.Holder.Key) {
		return presented{}, "", fmt.Errorf("%w: expired, or without a holder", errPresentation)
	}
	result := presented{jti: claims.ID, holder: bound{key: claims.Holder.Key}}
	disclosure, disclosed := shown.Named("portrait")
	portrait, _ := shown.Claims()["portrait"].(string)
	if result.portrait, err = base64.RawURLEncoding.DecodeString(portrait); err != nil || !disclosed {
		return presented{}, "", fmt.Errorf("%w: the portrait is not disclosed, or not base64url", errPresentation)
	}
	result.digest = disclosure.Digest
	nonce, err := s.checkBinding(binding, before, claims.Holder.Key)
	return result, nonce, err
}

// checkBinding verifies the KB-JWT over everything before it (RFC 9901 §4.3).
func (s *Server) checkBinding(binding, before string, holder jose.JWK) (nonce string, err error) {
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
	case claims.Audience != s.config.BaseURL:
		return "", fmt.Errorf("%w: the key binding is meant for somebody else", errPresentation)
	case claims.Hash != digest(before):
		return "", fmt.Errorf("%w: the key binding is about another presentation", errPresentation)
	case !jose.Fresh(claims.Issued, s.config.Clock(), shortLife):
		return "", fmt.Errorf("%w: the key binding is not of now", errPresentation)
	}
	return claims.Nonce, nil
}
