package issuance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
	"regain/conformance/wallet/agent"
)

// maxWait is how long the wallet waits for a credential that the issuer still has to make.
const maxWait = time.Minute

// sealed is a request as it is sent, and the key for its response.
type sealed struct {
	text, mediaType string
	key             *jose.EncryptionKey // nil: the response has to come in the clear
}

// seal encrypts a request where the issuer has a key for that, and asks for an encrypted response
// where it can do that too (OpenID4VCI 1.0 §10). A response is never asked to be encrypted by a request in the
// clear: somebody in between could put a key of theirs into it (OpenID4VCI 1.0 §8.2).
func (s *Session) seal(body map[string]any) (sealed, error) {
	requests, responses := s.offer.metadata.Requests, s.offer.metadata.Responses
	if responses != nil && responses.Required && requests == nil {
		return sealed{}, errors.New("the issuer wants to encrypt its response and takes no encrypted request")
	}
	if requests == nil {
		text, err := json.Marshal(body)
		return sealed{text: string(text), mediaType: agent.JSON}, err
	}
	to, err := jose.ChooseRecipient(requests.JWKS.Keys, requests.Encodings)
	if err != nil {
		if requests.Required {
			return sealed{}, fmt.Errorf("encrypting the request: %w", err)
		}
		text, err := json.Marshal(body)
		return sealed{text: string(text), mediaType: agent.JSON}, err
	}
	result := sealed{mediaType: typeJWT}
	if encoding := responses.encoding(); encoding != "" {
		if result.key, err = jose.NewEncryptionKey(); err != nil {
			return sealed{}, err
		}
		body["credential_response_encryption"] = map[string]any{"jwk": result.key.Public(), "enc": encoding}
	} else if responses != nil && responses.Required {
		return sealed{}, errors.New("the issuer encrypts its response in no way that this wallet can do")
	}
	text, err := json.Marshal(body)
	if err != nil {
		return sealed{}, fmt.Errorf("encoding the request: %w", err)
	}
	result.text, err = to.Seal(text, nil)
	return result, err
}

// encoding is the first content encryption that both can do, empty when the issuer encrypts nothing
// or with another key agreement.
func (r *responseEncryption) encoding() string {
	if r == nil || !slices.Contains(r.Algorithms, "ECDH-ES") {
		return ""
	}
	for _, enc := range r.Encodings {
		if slices.Contains(jose.Encodings(), enc) {
			return enc
		}
	}
	return ""
}

// open returns the content of an answer, which has to be encrypted if that was asked for.
func (r sealed) open(got agent.Answer) ([]byte, error) {
	if r.key == nil {
		if got.MediaType != agent.JSON {
			return nil, errors.New("the answer is not application/json")
		}
		return got.Body, nil
	}
	if got.MediaType != typeJWT {
		return nil, errors.New("the answer is not encrypted")
	}
	plain, err := r.key.Open(string(got.Body))
	if err != nil {
		return nil, fmt.Errorf("opening the answer: %w", err)
	}
	return plain, nil
}

// await asks for a credential that was promised, at the issuer's pace (OpenID4VCI 1.0 §9).
func (s *Session) await(ctx context.Context, promise response) (response, error) {
	endpoint := s.offer.metadata.DeferredURL
	if endpoint == "" {
		return response{}, errors.New("the issuer promises a credential and does not say where")
	}
	transaction, waited := promise.Transaction, time.Duration(0)
	for promise.Transaction != "" {
		if promise.Transaction != transaction { // OpenID4VCI 1.0 §9.2: it stays the same
			return response{}, errors.New("the issuer promises another credential than before")
		}
		pause := max(time.Duration(promise.Interval*float64(time.Second)), time.Second)
		if waited += pause; waited > maxWait {
			return response{}, errors.New("the issuer takes too long")
		}
		if err := wait(ctx, pause); err != nil {
			return response{}, err
		}
		var err error
		if promise, err = s.exchange(ctx, endpoint, map[string]any{"transaction_id": transaction}); err != nil {
			return response{}, fmt.Errorf("asking for the promised credential: %w", err)
		}
	}
	return promise, nil
}
