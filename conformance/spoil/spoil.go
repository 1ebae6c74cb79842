// Package spoil makes right JWTs wrong, for tests of those who verify them. What it returns is still
// well-formed: a JWT that does not parse tests nothing but the parser.
package spoil

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
)

// Signature flips one bit in the middle of a JWS's signature.
func Signature(compact string) string {
	cut := strings.LastIndexByte(compact, '.') + 1
	signature, err := base64.RawURLEncoding.DecodeString(compact[cut:])
	if err != nil || len(signature) == 0 {
		return compact + "AA"
	}
	signature[len(signature)/2] ^= 1
	return compact[:cut] + base64.RawURLEncoding.EncodeToString(signature)
}

// Unsigned keeps the other members of the header, and takes the signature away (RFC 7519 §6.1).
func Unsigned(compact string) string {
	segments := strings.Split(compact, ".")
	if len(segments) != 3 {
		return compact
	}
	return rewrite(segments[0], func(members map[string]any) { members["alg"] = "none" }) + "." + segments[1] + "."
}

// Subject writes over members of vc.credentialSubject and leaves the signature as it was.
func Subject(compact string, members map[string]any) string {
	segments := strings.Split(compact, ".")
	if len(segments) != 3 {
		return compact
	}
	segments[1] = rewrite(segments[1], func(claims map[string]any) {
		vc, _ := claims["vc"].(map[string]any)
		if subject, _ := vc["credentialSubject"].(map[string]any); subject != nil {
			maps.Copy(subject, members)
		}
	})
	return strings.Join(segments, ".")
}

// rewrite changes a segment that holds a JSON object.
func rewrite(segment string, change func(map[string]any)) string {
	raw, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return segment
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil || members == nil {
		return segment
	}
	change(members)
	if raw, err = json.Marshal(members); err != nil {
		return segment
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}
