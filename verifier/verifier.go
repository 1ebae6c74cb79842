// Package verifier answers one question about what a wallet presented: is it genuine, current, and held by whoever
// presented it, for this request? It takes no decision about accounts, and knows nothing of them.
//
// There are two kinds of no, and they are different on purpose:
//
//   - ErrRefused: this is not a genuine answer to this request. A signature is wrong, the nonce is another one, it does
//     not parse. The wallet hears of it, the transaction does not: a stranger must not be able to spoil it.
//   - an Objection inside Verified: the holder really presented this, and it is not good enough. It is revoked, has
//     expired, comes from somebody nobody trusts. That is an outcome, which the person is told.
//
// The parts, each a package: sdjwt reads the format, trust knows who may issue what, status asks whether it was
// revoked. Here they are put together, and the Face Check receipt is tied to the Verified ID that it is about.
package verifier

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"regain/verifier/internal/jws"
	"regain/verifier/sdjwt"
	"regain/verifier/status"
	"regain/verifier/trust"
)

// ErrRefused means that what came is not a genuine answer to this request.
var ErrRefused = errors.New("presentation is refused")

// Objection says why a genuinely presented credential cannot be used.
type Objection string

// The objections, gravest first.
const (
	NoObjection       Objection = ""
	Untrusted         Objection = "untrusted" // not from an issuer that is trusted for its type
	Expired           Objection = "expired"   // or not valid yet
	Revoked           Objection = "revoked"   // or suspended
	StatusUnavailable Objection = "status_unavailable"
)

// Config says whom to trust and how long to believe a status list.
type Config struct {
	Trust                      []trust.Rule
	MinStatusTTL, MaxStatusTTL time.Duration
}

// Deps are the parts; all are required.
type Deps struct {
	Fetch  status.Fetcher
	Clock  func() time.Time
	Logger *slog.Logger
}

// Verifier verifies presentations. It is safe for concurrent use.
type Verifier struct {
	rules  *trust.Rules
	lists  *status.Lists
	clock  func() time.Time
	logger *slog.Logger
}

// New refuses missing parts and rules that cannot work.
func New(cfg Config, deps Deps) (*Verifier, error) {
	if deps.Clock == nil || deps.Logger == nil {
		return nil, errors.New("verifier: Clock and Logger are required")
	}
	rules, err := trust.New(cfg.Trust)
	if err != nil {
		return nil, err
	}
	lists, err := status.New(status.Config{MinTTL: cfg.MinStatusTTL, MaxTTL: cfg.MaxStatusTTL, Fetch: deps.Fetch, Clock: deps.Clock})
	if err != nil {
		return nil, err
	}
	return &Verifier{rules: rules, lists: lists, clock: deps.Clock, logger: deps.Logger}, nil
}

// Presentation is what a wallet presented: two SD-JWTs with key binding, as they stand in the vp_token.
type Presentation struct{ VerifiedID, FaceCheck string }

// Format keeps a presentation out of every fmt verb.
func (Presentation) Format(f fmt.State, _ rune) { fmt.Fprint(f, "presentation[redacted]") }

// LogValue keeps a presentation out of slog.
func (Presentation) LogValue() slog.Value { return slog.StringValue("presentation[redacted]") }

// MarshalJSON keeps a presentation out of JSON.
func (Presentation) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// Expect is what the request asked for.
type Expect struct {
	Nonce, Audience     string
	Types, ReceiptTypes []string // vct values
}

// Verify verifies both credentials and how they belong together. Its errors are ErrRefused and that of ctx: when the
// caller went away before a status list came, the list is not to blame and nothing is decided.
func (v *Verifier) Verify(ctx context.Context, p Presentation, e Expect) (Verified, error) {
	now := v.clock()
	binding := sdjwt.Binding{Nonce: e.Nonce, Audience: e.Audience, Now: now}
	identity, err := v.open(p.VerifiedID, e.Types, binding)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: Verified ID: %w", ErrRefused, err)
	}
	receipt, err := v.open(p.FaceCheck, e.ReceiptTypes, binding)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: Face Check receipt: %w", ErrRefused, err)
	}
	check, err := faceCheck(receipt, identity)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: Face Check receipt: %w", ErrRefused, err)
	}
	check.Objection = v.objection(ctx, receipt, now, true)
	objection := v.objection(ctx, identity, now, false)
	if err := ctx.Err(); err != nil && (objection == StatusUnavailable || check.Objection == StatusUnavailable) {
		return Verified{}, fmt.Errorf("look up status: %w", err)
	}
	id, _ := identity.Text("jti")
	return Verified{credential: identity, id: id, objection: objection, check: check}, nil
}

// credential is one that its holder presented for this request and that its issuer, whoever that is, really signed.
type credential struct {
	*sdjwt.Parsed
	holder *ecdsa.PublicKey
	vct    string
	iss    string
}

// open reads a credential and checks every signature. What needs no trust comes first.
func (v *Verifier) open(raw string, types []string, binding sdjwt.Binding) (credential, error) {
	parsed, err := sdjwt.ParseInsecure(raw)
	if err != nil {
		return credential{}, err
	}
	vct, ok := parsed.Text("vct")
	if !ok || !slices.Contains(types, vct) {
		return credential{}, errors.New("vct is not one that was asked for")
	}
	holder, err := parsed.VerifyHolder(binding)
	if err != nil {
		return credential{}, err
	}
	issuer, err := v.rules.Leaf(parsed.Certificates(), vct)
	if err != nil {
		return credential{}, err
	}
	if err := parsed.VerifyIssuer(issuer); err != nil {
		return credential{}, err
	}
	iss, _ := parsed.Text("iss")
	return credential{Parsed: parsed, holder: holder, vct: vct, iss: iss}, nil
}

// objection returns the gravest objection to a credential. brief is for types that live minutes and have no status.
func (v *Verifier) objection(ctx context.Context, c credential, now time.Time, brief bool) Objection {
	if err := v.rules.Check(c.Certificates(), c.vct, c.iss, now); err != nil {
		v.note(ctx, c, err)
		return Untrusted
	}
	ends, err := current(c, now)
	if err != nil {
		v.note(ctx, c, err)
		return Expired
	}
	reference, there, err := status.ReferenceIn(c.Claims())
	if err == nil && !there && (brief || v.rules.StatusOptional(c.vct)) {
		if !ends { // HAIP 1.0 §6.1: exp, status or both; with neither, nothing could ever end it
			v.note(ctx, c, errors.New("credential has neither exp nor status"))
			return Expired
		}
		return NoObjection
	}
	if err != nil || !there {
		v.note(ctx, c, errors.Join(errors.New("credential names no status list"), err))
		return StatusUnavailable
	}
	is, err := v.lists.Look(ctx, reference, func(list jws.JWS) error { return v.trustList(list, c, now) })
	switch {
	case err != nil:
		v.note(ctx, c, err)
		return StatusUnavailable
	case is != status.Valid:
		return Revoked
	}
	return NoObjection
}

// trustList verifies a status list's signature: by somebody who may issue the credential itself.
func (v *Verifier) trustList(list jws.JWS, c credential, now time.Time) error {
	if err := v.rules.Check(list.Certificates, c.vct, c.iss, now); err != nil {
		return err
	}
	key, err := v.rules.Leaf(list.Certificates, c.vct)
	if err != nil {
		return err
	}
	return list.Verify(key)
}

// clockSkew is how far an issuer's clock may be ahead of ours.
const clockSkew = time.Minute

// current checks iat, nbf and exp, and reports whether there is an exp. Without one the status must say when it ends.
func current(c credential, now time.Time) (ends bool, err error) {
	for _, name := range []string{"iat", "nbf"} {
		seconds, there, err := c.Time(name)
		if err != nil || there && time.Unix(seconds, 0).After(now.Add(clockSkew)) {
			return false, errors.Join(fmt.Errorf("%s is in the future, or no date", name), err)
		}
	}
	seconds, there, err := c.Time("exp")
	if err != nil || there && !now.Before(time.Unix(seconds, 0)) {
		return false, errors.Join(errors.New("exp is past, or no date"), err)
	}
	return there, nil
}

// note tells the operator why a credential is objected to. It names the type and the rule, and nobody.
func (v *Verifier) note(ctx context.Context, c credential, err error) {
	v.logger.InfoContext(ctx, "credential objected to", "vct", c.vct, "cause", err.Error())
}
