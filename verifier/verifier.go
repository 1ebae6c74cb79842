// Package verifier answers one question about what a wallet presented: is it genuine, current, and held by its
// presenter, for this request? It takes no decision about accounts, and knows nothing of them.
//
// There are two kinds of no, and they are different on purpose:
//
//   - ErrRefused: this is not a genuine answer to this request. A signature is wrong, the nonce is another one, it does
//     not parse. The wallet hears of it, the transaction does not: a stranger must not be able to spoil it.
//   - a ValidationFailure inside Verified: the holder really presented this, and it is not good enough. It is revoked, has
//     expired, comes from an issuer that is not trusted. That is an outcome, which the person is told.
//
// The parts, each a package: sdjwt, mdoc and jwtvc read the formats, did finds the keys of DIDs, linkeddomain asks their
// domains, trust knows who may issue what, status asks whether it was revoked. Here they are put together, and the Face
// Check receipt is tied to the Verified ID that it is about.
package verifier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"regain/verifier/did"
	"regain/verifier/internal/jws"
	"regain/verifier/linkeddomain"
	"regain/verifier/status"
	"regain/verifier/trust"
)

// ErrRefused means that the presentation is not a genuine answer to this request.
var ErrRefused = errors.New("presentation is refused")

// ErrUnavailable means that it could not be found out whether this is a genuine answer: later it may be.
var ErrUnavailable = errors.New("what is needed to verify a presentation cannot be had")

// ValidationFailure says why a genuinely presented credential cannot be used.
type ValidationFailure string

// The validation failures, gravest first.
const (
	NoFailure         ValidationFailure = ""
	Untrusted         ValidationFailure = "untrusted" // not from an issuer that is trusted for its type
	Expired           ValidationFailure = "expired"   // or not valid yet
	Revoked           ValidationFailure = "revoked"   // or suspended
	StatusUnavailable ValidationFailure = "status_unavailable"
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
	rules    *trust.Rules
	lists    *status.Lists
	resolver *did.Resolver
	linked   *linkeddomain.Verifier
	clock    func() time.Time
	logger   *slog.Logger
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
	resolver, err := did.New(did.Config{MinTTL: cfg.MinStatusTTL, MaxTTL: cfg.MaxStatusTTL, Fetch: deps.Fetch, Clock: deps.Clock})
	if err != nil {
		return nil, err
	}
	linked, err := linkeddomain.New(linkeddomain.Config{MinTTL: cfg.MinStatusTTL, MaxTTL: cfg.MaxStatusTTL, Fetch: deps.Fetch, Resolver: resolver, Clock: deps.Clock})
	if err != nil {
		return nil, err
	}
	return &Verifier{rules: rules, lists: lists, resolver: resolver, linked: linked, clock: deps.Clock, logger: deps.Logger}, nil
}

// Presentation is what a wallet presented, as it stands in a vp_token, each in the format that was asked for: a Verified
// ID, and a Face Check receipt where one was wanted.
type Presentation struct {
	VerifiedID, FaceCheck string
	// VerifiedIDAt and FaceCheckAt say which credential each is, from 0, in a presentation that has several (a VP of JWT
	// VCs); other formats have one.
	VerifiedIDAt, FaceCheckAt int
	// IDToken is the one that the wallet issued itself, where its protocol has one (SIOPv2): the holder's too.
	IDToken string
}

// Format keeps a presentation out of every fmt verb.
func (Presentation) Format(f fmt.State, _ rune) { fmt.Fprint(f, "presentation[redacted]") }

// LogValue keeps a presentation out of slog.
func (Presentation) LogValue() slog.Value { return slog.StringValue("presentation[redacted]") }

// MarshalJSON keeps a presentation out of JSON.
func (Presentation) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// Session is what a presentation must be bound to, or it is an answer to somebody else's request or to an older one.
type Session struct {
	Nonce    string
	Audience string // our client_id with its prefix, or origin:… (OpenID4VP 1.0 §14.10, Appendix A.4)
	// The rest is in an mdoc's session transcript (Appendix B.2.6): where the answer went, by POST or to a page, and the
	// thumbprint of the key that it was encrypted to, nil if it was not.
	ResponseURI, Origin string
	Thumbprint          []byte
}

// Wanted is what was asked for: a Credential Format Identifier (OpenID4VP 1.0 Appendix B), and the types of it that will
// do. Without a format, nothing was.
type Wanted struct {
	Format string
	Types  []string
}

// Expect is what the request asked for.
type Expect struct {
	Session               Session
	VerifiedID, FaceCheck Wanted
	TransactionData       []string // as it stood in the request; what the Verified ID's holder must have signed too
}

// Verify verifies both credentials and how they belong together. Its errors are ErrRefused, ErrUnavailable and that of ctx: when the
// caller went away before a status list came, the list is not to blame and nothing is decided.
func (v *Verifier) Verify(ctx context.Context, p Presentation, e Expect) (Verified, error) {
	now := v.clock()
	identity, err := v.open(ctx, p.VerifiedID, p.VerifiedIDAt, e.VerifiedID, bound{e.Session, e.TransactionData, p.IDToken, now})
	if err != nil {
		return Verified{}, refused(ctx, "Verified ID", err)
	}
	verified := Verified{credential: identity}
	if e.FaceCheck.Format != "" {
		if err := v.verifyFaceCheck(ctx, p, e, &verified); err != nil {
			return Verified{}, err
		}
	}
	verified.failure = verified.record(v.validationFailure(ctx, identity, now, false))
	if err := ctx.Err(); err != nil && (verified.failure == StatusUnavailable || verified.check.ValidationFailure == StatusUnavailable) {
		return Verified{}, fmt.Errorf("look up status: %w", err)
	}
	return verified, nil
}

// verifyFaceCheck adds the receipt to what was verified.
func (v *Verifier) verifyFaceCheck(ctx context.Context, p Presentation, e Expect, verified *Verified) error {
	const what = "Face Check receipt"
	now := v.clock()
	receipt, err := v.open(ctx, p.FaceCheck, p.FaceCheckAt, e.FaceCheck, bound{e.Session, nil, p.IDToken, now})
	if err != nil {
		return refused(ctx, what, err)
	}
	check, err := faceCheck(receipt, verified.credential)
	if err != nil {
		return refused(ctx, what, err)
	}
	check.ValidationFailure = verified.record(v.validationFailure(ctx, receipt, now, true))
	verified.receipt, verified.check = receipt, check
	return nil
}

// record keeps the cause of a validation failure.
func (v *Verified) record(o ValidationFailure, cause error) ValidationFailure {
	if o != NoFailure {
		v.causes = append(v.causes, fmt.Sprintf("%s: %v", o, cause))
	}
	return o
}

// refused is a no to what was presented, unless the caller went away while something was looked up, or somebody's DID
// document could not be had. That the caller went away excuses nothing else.
func refused(ctx context.Context, what string, err error) error {
	if gone := ctx.Err(); gone != nil && errors.Is(err, gone) {
		return fmt.Errorf("verify the %s: %w", what, gone)
	}
	if errors.Is(err, did.ErrUnresolvable) {
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrRefused, what, err)
}

// validationFailure returns the gravest failure of a credential, and why. brief is for types that live minutes and have no
// status.
func (v *Verifier) validationFailure(ctx context.Context, c *credential, now time.Time, brief bool) (ValidationFailure, error) {
	switch err := c.trusted(ctx, now); {
	case errors.Is(err, linkeddomain.ErrUnavailable), errors.Is(err, did.ErrUnresolvable): // later it may be
		return StatusUnavailable, v.note(ctx, c, err)
	case err != nil:
		return Untrusted, v.note(ctx, c, err)
	}
	ends, err := c.current(now)
	if err != nil {
		return Expired, v.note(ctx, c, err)
	}
	reference, there, err := c.status()
	if err == nil && !there && (brief || v.rules.StatusOptional(c.kind)) {
		if !ends { // HAIP 1.0 §6.1: exp, status or both; with neither, nothing could ever end it
			return Expired, v.note(ctx, c, errors.New("credential has neither exp nor status"))
		}
		return NoFailure, nil
	}
	if err != nil || !there {
		return StatusUnavailable, v.note(ctx, c, errors.Join(errors.New("credential names no status list"), err))
	}
	is, err := v.lists.Look(ctx, reference, func(list jws.JWS) error { return v.trustList(list, c, now) })
	switch {
	case err != nil:
		return StatusUnavailable, v.note(ctx, c, err)
	case is != status.Valid:
		return Revoked, errors.New("its status list says so")
	}
	return NoFailure, nil
}

// trustList verifies a status list's signature: by somebody who may issue the credential itself.
func (v *Verifier) trustList(list jws.JWS, c *credential, now time.Time) error {
	if err := v.rules.Check(list.Certificates, c.kind, c.iss, now); err != nil {
		return err
	}
	key, err := v.rules.Leaf(list.Certificates, c.kind)
	if err != nil {
		return err
	}
	return list.Verify(key)
}

// note tells the operator why a credential is objected to, and returns that. It names the type and the rule, and nobody.
func (v *Verifier) note(ctx context.Context, c *credential, err error) error {
	v.logger.InfoContext(ctx, "credential objected to", "type", c.kind, "cause", err.Error())
	return fmt.Errorf("%s: %w", c.kind, err)
}
