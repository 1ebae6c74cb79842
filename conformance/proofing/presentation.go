package proofing

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"regain/conformance/jose"
	"regain/conformance/people"
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
	parts := strings.Split(compact, "~")
	if len(parts) < 3 || len(parts) > 40 || parts[len(parts)-1] == "" {
		return presented{}, "", fmt.Errorf("%w: not an SD-JWT with disclosures and key binding", errPresentation)
	}
	issuerPart, disclosures, binding := parts[0], parts[1:len(parts)-1], parts[len(parts)-1]
	now := s.config.Clock()
	parsed, err := jose.ParseTyped(issuerPart, "dc+sd-jwt")
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
	if err := result.take(disclosures, claims.Digests); err != nil {
		return presented{}, "", err
	}
	nonce, err := s.checkBinding(binding, compact[:len(compact)-len(binding)], claims.Holder.Key)
	return result, nonce, err
}

// take goes through the disclosures and keeps the portrait. Each must belong to a digest, once.
func (p *presented) take(disclosures, digests []string) error {
	open := map[string]bool{}
	for _, d := range digests {
		open[d] = true
	}
	names := map[string]bool{}
	for _, text := range disclosures {
		sum := digest(text)
		if !open[sum] {
			return fmt.Errorf("%w: a disclosure has no digest, or occurs twice", errPresentation)
		}
		open[sum] = false
		name, value, err := readDisclosure(text)
		if err != nil {
			return err
		}
		if names[name] {
			return fmt.Errorf("%w: a claim is disclosed twice", errPresentation)
		}
		names[name] = true
		if name == "portrait" {
			if p.portrait, err = base64.RawURLEncoding.DecodeString(value); err != nil {
				return fmt.Errorf("%w: the portrait is not base64url", errPresentation)
			}
			p.digest = sum
		}
	}
	if p.digest == "" {
		return fmt.Errorf("%w: the portrait is not disclosed", errPresentation)
	}
	return nil
}

// readDisclosure reads [salt, name, value] (RFC 9901 §4.2.1); the claims of a Verified ID are all strings.
func readDisclosure(text string) (name, value string, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", "", fmt.Errorf("%w: a disclosure is not base64url", errPresentation)
	}
	var triple []string
	if err := json.Unmarshal(raw, &triple); err != nil || len(triple) != 3 {
		return "", "", fmt.Errorf("%w: a disclosure is not three strings", errPresentation)
	}
	return triple[1], triple[2], nil
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
