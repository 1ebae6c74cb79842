package contract

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/clock"
	"regain/internal/publickey"
	"regain/provider/jwa"
	"regain/provider/remotekeys"
)

// Tenant is an Entra tenant whose id_token_hints name accounts.
type Tenant struct {
	ID          string // the tenant's GUID
	Application string // appId of the provider's application in the tenant: the audience of its hints
	Authority   string // https URL without a trailing slash; "" means that of the public cloud
}

const publicCloud = "https://login.microsoftonline.com"

// Validate returns an error that names the configuration key of the first mistake.
func (t Tenant) Validate() error {
	guid := regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	switch u, err := url.Parse(t.authority()); {
	case !guid.MatchString(t.ID):
		return fmt.Errorf("entra.tenant_id %q is not a GUID; the Entra admin center shows it under Overview", t.ID)
	case !guid.MatchString(t.Application):
		return fmt.Errorf("entra.application_id %q is not a GUID; it is the Application (client) ID of the app registration", t.Application)
	case err != nil, u.Host == "", u.RawQuery != "", u.Fragment != "", strings.HasSuffix(u.Path, "/"):
		return fmt.Errorf("entra.authority %q is not a URL without a trailing slash, such as %s", t.Authority, publicCloud)
	}
	return nil
}

func (t Tenant) authority() string {
	if t.Authority == "" {
		return publicCloud
	}
	return t.Authority
}

// Issuer returns the iss of the tenant's tokens.
func (t Tenant) Issuer() string { return t.authority() + "/" + t.ID + "/v2.0" }

// Hint holds the claims of an id_token_hint that identify the user.
type Hint struct {
	Subject  string // pairwise; becomes the sub of our ID token
	ObjectID string // oid, the immutable identifier of the account in the tenant
}

// ErrHint means that an id_token_hint is not a current one of the tenant.
var ErrHint = errors.New("id_token_hint is not a current token of the tenant")

// maxHintAge is how old a hint may be. Entra ID issues a hint for one request, expired or nearly so ("an expired or
// nearly expired token"), so exp is useless and iat limits its age.
const maxHintAge = 10 * time.Minute

// Tenants verifies id_token_hints with the keys that Entra ID publishes for the tenant.
type Tenants struct {
	keys  *remotekeys.Store
	clock func() time.Time
}

// NewTenants returns an error if a dependency is missing.
func NewTenants(keys *remotekeys.Store, clock func() time.Time) (*Tenants, error) {
	if keys == nil || clock == nil {
		return nil, errors.New("tenants: a key store and a clock are required")
	}
	return &Tenants{keys: keys, clock: clock}, nil
}

type hintClaims struct {
	jwt.Claims
	ObjectID string `json:"oid"`
	TenantID string `json:"tid"`
}

// Verify verifies a hint: signature, iss, aud, tid, oid, sub and iat. Errors are an ErrHint, or those of remotekeys
// if the tenant's keys are unavailable.
func (t *Tenants) Verify(ctx context.Context, tenant Tenant, text string) (Hint, error) {
	token, err := publickey.ParseToken(text, []jose.SignatureAlgorithm{jwa.Vendor})
	if err != nil {
		return Hint{}, fmt.Errorf("%w: %w", ErrHint, err)
	}
	kid := token.Headers[0].KeyID
	if kid == "" {
		return Hint{}, fmt.Errorf("%w: kid is missing", ErrHint)
	}
	set, err := t.keys.IssuerKeys(ctx, tenant.Issuer(), kid)
	if err != nil {
		return Hint{}, err
	}
	var claims hintClaims
	if !verifies(token, set.Key(kid), &claims) {
		return Hint{}, fmt.Errorf("%w: no key of the tenant verifies the signature", ErrHint)
	}
	return t.check(tenant, claims)
}

func verifies(token *jwt.JSONWebToken, keys []jose.JSONWebKey, claims *hintClaims) bool {
	for _, key := range keys {
		if (key.Use == "" || key.Use == "sig") && token.Claims(key.Key, claims) == nil {
			return true
		}
	}
	return false
}

func (t *Tenants) check(tenant Tenant, claims hintClaims) (Hint, error) {
	now := t.clock()
	wrong := ""
	switch {
	case claims.Issuer != tenant.Issuer():
		wrong = "iss is not " + tenant.Issuer()
	case len(claims.Audience) != 1 || claims.Audience[0] != tenant.Application:
		wrong = "aud is not the application"
	case claims.TenantID != tenant.ID:
		wrong = "tid is not the tenant"
	case claims.ObjectID == "" || claims.Subject == "":
		wrong = "oid or sub is missing"
	case claims.IssuedAt == nil:
		wrong = "iat is missing"
	case clock.Issuers.InFuture(claims.IssuedAt.Time(), now), claims.NotBefore != nil && clock.Issuers.InFuture(claims.NotBefore.Time(), now):
		wrong = "iat or nbf is in the future"
	case claims.IssuedAt.Time().Before(now.Add(-maxHintAge)):
		wrong = "iat is more than ten minutes ago"
	}
	if wrong != "" {
		return Hint{}, fmt.Errorf("%w: %s", ErrHint, wrong)
	}
	return Hint{Subject: claims.Subject, ObjectID: claims.ObjectID}, nil
}
