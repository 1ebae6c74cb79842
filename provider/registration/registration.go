// Package registration implements dynamic client registration: OpenID Connect Dynamic Client Registration 1.0 and RFC
// 7591, and RFC 7592 to read, change and delete a registration. It requires an initial access token from the operator. By
// default a registered client may not request recovery tokens: whether a new client can take over accounts is the
// operator's decision, in the configuration.
//
// Client secrets and registration access tokens are returned once and stored as digests.
package registration

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
	"regain/provider/problem"
	"regain/storage"
)

// Path is the path of the registration endpoint, below the issuer.
const Path = "/register"

const kindClient = storage.Kind("client")

// Policy holds what the operator allows to clients that register themselves.
type Policy struct {
	InitialTokens []string // each 32 characters or more; any of them allows a registration
	Scopes        []string
	AllowUnpushed bool
	AllowNoPKCE   bool
	AskAccount    bool
	ReuseSession  bool // for clients without the scope recovery
	SubjectFrom   clients.SubjectSource

	TokenEndpointAudience *bool // see clients.Client

	MutualTLS   bool // clients can show certificates
	ClientRoots bool // and those of CAs authenticate them (tls_client_auth)

	DefaultAlgorithm jose.SignatureAlgorithm   // for ID tokens
	Algorithms       []jose.SignatureAlgorithm // for which there are signing keys
}

// Deps holds the dependencies; all are required.
type Deps struct {
	Store  storage.Store
	Clock  func() time.Time
	Random io.Reader
}

// Service registers clients and is the registry of the registered clients.
type Service struct {
	base   string // URL of the client configuration endpoint, without the client id
	policy Policy
	tokens atomic.Pointer[[]string] // initial access tokens
	deps   Deps
}

var _ clients.Registry = (*Service)(nil)

// New returns an error for missing dependencies or an invalid policy.
func New(issuer string, policy Policy, deps Deps) (*Service, error) {
	if issuer == "" || deps.Store == nil || deps.Clock == nil || deps.Random == nil {
		return nil, errors.New("registration: the issuer, Store, Clock and Random are required")
	}
	for _, scope := range policy.Scopes {
		if !slices.Contains(clients.Scopes(), scope) {
			return nil, fmt.Errorf("scope %q is unknown; use some of %v", scope, clients.Scopes())
		}
	}
	if !slices.Contains(policy.Scopes, clients.ScopeOpenID) {
		return nil, errors.New("scope lacks openid")
	}
	if err := policy.SubjectFrom.Validate(); err != nil {
		return nil, err
	}
	s := &Service{base: issuer + Path, policy: policy, deps: deps}
	return s, s.SetInitialTokens(policy.InitialTokens)
}

// SetInitialTokens replaces the initial access tokens, when their file has changed. On an error they stay as they were.
func (s *Service) SetInitialTokens(tokens []string) error {
	const enough = 32
	for _, token := range tokens {
		if len(token) < enough {
			return fmt.Errorf("initial_access_tokens: one has %d characters: use %d random ones at least", len(token), enough)
		}
	}
	s.tokens.Store(&tokens)
	return nil
}

// record is one registered client.
type record struct {
	storage.Kept `json:"-"`

	Metadata []byte            `json:"metadata"` // JSON, since JWKs have no other encoding
	Secret   [sha256.Size]byte `json:"secret"`   // digest; zero without a secret
	Token    [sha256.Size]byte `json:"token"`    // digest of the registration access token
	IssuedAt int64             `json:"issued_at"`
}

// Information is the response of the endpoints (RFC 7591 §3.2.1, RFC 7592 §3).
type Information struct {
	ClientID      string `json:"client_id"`
	ClientSecret  string `json:"client_secret,omitempty"` // only in the response that issues it
	SecretExpires *int64 `json:"client_secret_expires_at,omitempty"`
	IssuedAt      int64  `json:"client_id_issued_at"`
	Token         string `json:"registration_access_token,omitempty"` // only in the response that issues it
	URI           string `json:"registration_client_uri"`
	Metadata
}

func wrongToken() error {
	return problem.New(http.StatusUnauthorized, "invalid_token", "The access token is missing, or is not one for this.")
}

// Register registers a client if token is an initial access token. Errors are *problem.Error.
func (s *Service) Register(ctx context.Context, token string, body []byte) (Information, error) {
	if !s.isInitialToken(token) {
		return Information{}, wrongToken()
	}
	m, _, err := parse(body)
	if err != nil {
		return Information{}, err
	}
	id, err := s.random(16)
	if err != nil {
		return Information{}, err
	}
	var r record
	info, err := s.fill(id, &r, m)
	if err != nil {
		return Information{}, err
	}
	if info.Token, err = s.random(32); err != nil {
		return Information{}, err
	}
	r.Token, r.IssuedAt = sha256.Sum256([]byte(info.Token)), s.deps.Clock().Unix()
	info.IssuedAt = r.IssuedAt
	data, err := storage.Encode(r)
	if err != nil {
		return Information{}, problem.ServerError(err)
	}
	if err := s.deps.Store.Create(ctx, storage.Record{Kind: kindClient, ID: id, Data: data}); err != nil {
		return Information{}, problem.Unavailable(err)
	}
	return info, nil
}

// isInitialToken reports whether token is an initial access token. It compares with every one, in constant time.
func (s *Service) isInitialToken(token string) bool {
	found := 0
	shown := sha256.Sum256([]byte(token))
	for _, t := range *s.tokens.Load() {
		digest := sha256.Sum256([]byte(t))
		found |= subtle.ConstantTimeCompare(digest[:], shown[:])
	}
	return found == 1
}

// fill checks the metadata and stores it in the record, with a new client secret if the client needs one and has
// none.
func (s *Service) fill(id string, r *record, m Metadata) (Information, error) {
	if err := m.settle(s.policy); err != nil {
		return Information{}, err
	}
	info := Information{ClientID: id, IssuedAt: r.IssuedAt, URI: s.base + "/" + id}
	never := int64(0)
	switch {
	case !m.AuthMethod.Secret():
		r.Secret = [sha256.Size]byte{}
	case r.Secret == [sha256.Size]byte{}:
		var err error
		if info.ClientSecret, err = s.random(32); err != nil {
			return Information{}, err
		}
		r.Secret, info.SecretExpires = sha256.Sum256([]byte(info.ClientSecret)), &never
	}
	if _, err := m.client(id, r.Secret, s.policy); err != nil {
		return Information{}, err
	}
	encoded, err := json.Marshal(m)
	if err != nil {
		return Information{}, problem.ServerError(err)
	}
	r.Metadata, info.Metadata = encoded, m
	return info, nil
}

func (r record) metadata() (m Metadata, err error) {
	if err := json.Unmarshal(r.Metadata, &m); err != nil {
		return m, fmt.Errorf("decode client metadata: %w", err)
	}
	return m, nil
}

func (s *Service) random(octets int) (string, error) {
	buf := make([]byte, octets)
	if _, err := io.ReadFull(s.deps.Random, buf); err != nil {
		return "", problem.ServerError(fmt.Errorf("read randomness: %w", err))
	}
	return base64.RawURLEncoding.EncodeToString(buf), nil
}

// Client implements clients.Registry. The current policy applies to clients that registered earlier too: a client
// that it no longer allows is unknown.
func (s *Service) Client(ctx context.Context, id string) (*clients.Client, error) {
	_, r, err := s.get(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, clients.ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	m, err := r.metadata()
	if err != nil {
		return nil, err
	}
	if err := m.settle(s.policy); err != nil {
		return nil, fmt.Errorf("%w: %w", clients.ErrUnknown, err)
	}
	c, err := m.client(id, r.Secret, s.policy)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", clients.ErrUnknown, err)
	}
	return c, nil
}

func (s *Service) get(ctx context.Context, id string) (storage.Record, record, error) {
	row, err := s.deps.Store.Get(ctx, kindClient, id)
	if err != nil {
		return storage.Record{}, record{}, err
	}
	var r record
	if err := storage.Decode(row.Data, &r); err != nil {
		return storage.Record{}, record{}, fmt.Errorf("decode client: %w", err)
	}
	return row, r, nil
}
