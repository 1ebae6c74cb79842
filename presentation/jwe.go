package presentation

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	josecipher "github.com/go-jose/go-jose/v4/cipher"

	"regain/internal/publickey"
	"regain/internal/strictjson"
)

// Sizes in bytes of the parts of an encrypted response.
const (
	maxHeader   = 4 << 10 // base64url; the wallet chooses apu and apv
	headerDepth = 4
	ivSize      = 12 // AES-GCM (RFC 7518 §5.3)
	tagSize     = 16
)

// encryptedResponse is a compact JWE whose header is validated but which is not decrypted.
//
// This package does not use go-jose's ParseEncrypted, for three reasons: it accepts what a response must not have (zip,
// an encrypted key with direct key agreement, base64url that is not canonical), it uses a deprecated elliptic curve
// interface of the standard library, and it costs nearly twice the CPU time of the cryptography. The key derivation is
// go-jose's.
type encryptedResponse struct {
	header, iv, ciphertext, tag string // base64url, as in the message
	recipient
}

// recipient holds the header parameters (RFC 7516 §4.1, RFC 7518 §4.6.1).
type recipient struct {
	kid      string
	enc      string
	epk      *ecdh.PublicKey
	apu, apv []byte
}

// parseEncrypted splits a compact JWE and validates everything that needs no key.
func parseEncrypted(compact string) (encryptedResponse, error) {
	parts := strings.SplitN(compact, ".", 6)
	switch {
	case len(parts) == 3:
		return encryptedResponse{}, fmt.Errorf("%w: it is only signed", ErrPlaintext)
	case len(parts) != 5:
		return encryptedResponse{}, fmt.Errorf("%w: response is no compact JWE", ErrMalformed)
	case parts[1] != "":
		return encryptedResponse{}, fmt.Errorf("%w: an encrypted key beside direct key agreement", ErrMalformed)
	case len(parts[0]) > maxHeader:
		return encryptedResponse{}, fmt.Errorf("%w: JWE header", ErrTooLarge)
	}
	to, err := parseHeader(parts[0])
	if err != nil {
		return encryptedResponse{}, err
	}
	return encryptedResponse{header: parts[0], iv: parts[2], ciphertext: parts[3], tag: parts[4], recipient: to}, nil
}

func parseHeader(encoded string) (recipient, error) {
	raw, err := decode(encoded)
	if err != nil {
		return recipient{}, fmt.Errorf("%w: JWE header: %w", ErrMalformed, err)
	}
	header, err := strictjson.Object(raw, headerDepth)
	if err != nil {
		return recipient{}, fmt.Errorf("%w: JWE header: %w", ErrMalformed, err)
	}
	// zip could be a decompression bomb. crit announces extensions, of which we support none.
	for _, name := range []string{"zip", "crit"} {
		if _, there := header[name]; there {
			return recipient{}, fmt.Errorf("%w: JWE header: %s", ErrMalformed, name)
		}
	}
	to := recipient{}
	if alg, _ := header["alg"].(string); alg != "ECDH-ES" {
		return recipient{}, fmt.Errorf("%w: alg", ErrAlgorithm)
	}
	if to.enc, _ = header["enc"].(string); to.enc != "A128GCM" && to.enc != "A256GCM" {
		return recipient{}, fmt.Errorf("%w: enc", ErrAlgorithm)
	}
	if to.kid, _ = header["kid"].(string); len(to.kid) != keyIDChars {
		return recipient{}, fmt.Errorf("%w: no kid of ours", ErrUnknownKey)
	}
	if to.epk, err = ephemeral(header["epk"]); err != nil {
		return recipient{}, err
	}
	apu, errU := partyInfo(header, "apu")
	apv, errV := partyInfo(header, "apv")
	to.apu, to.apv = apu, apv
	return to, errors.Join(errU, errV)
}

// ephemeral parses epk, the wallet's ephemeral key (RFC 7518 §4.6.1.1). It refuses points that are not on the curve,
// which could reveal our private key (invalid curve attack).
func ephemeral(epk any) (*ecdh.PublicKey, error) {
	jwk, ok := epk.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: JWE header: epk", ErrMalformed)
	}
	public, err := p256(jwk)
	if errors.Is(err, publickey.ErrKind) {
		return nil, fmt.Errorf("%w: epk is not on P-256", ErrAlgorithm)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: JWE header: epk: %w", ErrMalformed, err)
	}
	return public.ECDH()
}

func p256(jwk map[string]any) (*ecdsa.PublicKey, error) {
	key, err := publickey.Key(jwk, publickey.P256)
	if err != nil {
		return nil, err
	}
	public, _ := key.(*ecdsa.PublicKey)
	return public, nil
}

func partyInfo(header map[string]any, name string) ([]byte, error) {
	value, there := header[name]
	if !there {
		return nil, nil
	}
	text, ok := value.(string)
	info, err := decode(text)
	if !ok || err != nil {
		return nil, fmt.Errorf("%w: JWE header: %s is not base64url", ErrMalformed, name)
	}
	return info, nil
}

// open decrypts a response. The caller has compared the kid.
func (k EncryptionKey) open(s encryptedResponse) ([]byte, error) {
	iv, errIV := decode(s.iv)
	tag, errTag := decode(s.tag)
	ciphertext, errText := decode(s.ciphertext)
	if err := errors.Join(errIV, errTag, errText); err != nil || len(iv) != ivSize || len(tag) != tagSize {
		return nil, fmt.Errorf("%w: a part of the JWE", ErrMalformed)
	}
	private, err := ecdh.P256().NewPrivateKey(k.private)
	if err != nil || string(private.PublicKey().Bytes()) != string(k.point) {
		return nil, errors.New("the stored encryption key is damaged")
	}
	shared, err := private.ECDH(s.epk)
	if err != nil {
		return nil, fmt.Errorf("%w: key agreement", ErrDecrypt)
	}
	key, err := derive(shared, s.recipient)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(ciphertext[:0], iv, append(ciphertext, tag...), []byte(s.header))
	if err != nil {
		return nil, ErrDecrypt
	}
	return plaintext, nil
}

// derive derives the content encryption key with the Concat KDF (RFC 7518 §4.6.2). For direct key agreement AlgorithmID
// is the value of enc.
func derive(shared []byte, r recipient) ([]byte, error) {
	size := 16
	if r.enc == "A256GCM" {
		size = 32
	}
	bits := binary.BigEndian.AppendUint32(nil, uint32(size)*8)
	kdf := josecipher.NewConcatKDF(crypto.SHA256, shared, lengthPrefixed([]byte(r.enc)), lengthPrefixed(r.apu), lengthPrefixed(r.apv), bits, nil)
	key := make([]byte, size)
	_, err := io.ReadFull(kdf, key)
	return key, err
}

func lengthPrefixed(data []byte) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(data)), uint32(len(data))), data...) //nolint:gosec // names and ids of an answer whose size is bounded
}

// decode decodes base64url in its canonical form: no padding, no line breaks, which the standard library would skip,
// and no stray bits after the last byte. Otherwise one message would have several spellings.
func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("line breaks in base64url")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errors.New("not canonical base64url")
	}
	return raw, nil
}
