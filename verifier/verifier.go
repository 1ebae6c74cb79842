// Package verifier answers one question about a wallet's presentation: is it genuine, current, and held by its
// presenter, for this request? It decides nothing about accounts and knows nothing of them.
//
// It refuses in two ways, on purpose:
//
//   - ErrRefused: the presentation is not a genuine answer to this request. A signature is wrong, the nonce is that of
//     another request, it does not parse. Only the wallet gets the error. The transaction is not changed: an attacker who
//     knows the response URI must not be able to end somebody else's recovery.
//   - a ValidationFailure inside Verified: the holder really presented the credential, but it cannot be used. It is revoked
//     or expired, or its issuer is not trusted. That is an outcome of the recovery, and the person is told.
//
// The parts are packages of their own: sdjwt, mdoc and jwtvc parse the formats, did resolves DIDs, linkeddomain
// verifies that a domain vouches for a DID, trust holds which issuer may issue which type, status looks up revocation.
// This package puts them together, and links the Face Check receipt to the Verified ID that it names.
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

// ErrUnavailable means that something needed for the verification, such as a DID document, could not be fetched. A
// retry may succeed.
var ErrUnavailable = errors.New("what is needed to verify a presentation cannot be fetched")

// ValidationFailure says why a genuinely presented credential cannot be used.
type ValidationFailure string

// The validation failures, gravest first.
const (
	NoFailure         ValidationFailure = ""
	Untrusted         ValidationFailure = "untrusted" // the issuer is not trusted for this type
	Expired           ValidationFailure = "expired"   // or not valid yet
	Revoked           ValidationFailure = "revoked"   // or suspended
	StatusUnavailable ValidationFailure = "status_unavailable"
)

// Config has the trust rules, and the bounds within which a fetched document (status list, DID document, DID
// configuration) may say how long it is cached.
type Config struct {
	Trust                      []trust.Rule
	MinStatusTTL, MaxStatusTTL time.Duration
}

// Deps are the dependencies of a Verifier. All are required.
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

// New returns an error when a dependency is missing or a trust rule is invalid.
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

// Presentation holds a wallet's presentations as they stand in a vp_token, in the requested formats: a Verified ID, and
// a Face Check receipt where the request asked for one.
type Presentation struct {
	VerifiedID, FaceCheck string
	// VerifiedIDAt and FaceCheckAt are the index of each credential, from 0, in a presentation that holds several (a VP
	// of JWT VCs). They are 0 in other formats.
	VerifiedIDAt, FaceCheckAt int
	// IDToken is the self-issued ID token where the protocol has one (SIOPv2). Its subject must be the holder.
	IDToken string
}

// Format keeps a presentation out of every fmt verb.
func (Presentation) Format(f fmt.State, _ rune) { fmt.Fprint(f, "presentation[redacted]") }

// LogValue keeps a presentation out of slog.
func (Presentation) LogValue() slog.Value { return slog.StringValue("presentation[redacted]") }

// MarshalJSON keeps a presentation out of JSON.
func (Presentation) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// Session is what a presentation must be bound to. Otherwise it could be replayed from another request or another
// verifier.
type Session struct {
	Nonce    string
	Audience string // our client_id with its prefix, or origin:… (OpenID4VP 1.0 §14.10, Appendix A.4)
	// The rest is part of an mdoc's session transcript (OpenID4VP 1.0 Appendix B.2.6): the response URI, or the origin
	// for the Digital Credentials API, and the thumbprint of the key that the response was encrypted to, nil if it was
	// not.
	ResponseURI, Origin string
	Thumbprint          []byte
}

// Wanted is a requested credential: its Credential Format Identifier (OpenID4VP 1.0 Appendix B) and the accepted types.
// An empty format means that the request did not ask for it.
type Wanted struct {
	Format string
	Types  []string
}

// Expect holds what the request asked for.
type Expect struct {
	Session               Session
	VerifiedID, FaceCheck Wanted
	TransactionData       []string // base64url, as in the request; the Verified ID's holder must have signed its hashes
}

// Verify verifies the Verified ID and the Face Check receipt, and that they belong together. Its errors are ErrRefused,
// ErrUnavailable and ctx.Err(): if ctx ended while a status list was fetched, the status is unknown for that reason
// alone, and a StatusUnavailable failure would deny the recovery.
func (v *Verifier) Verify(ctx context.Context, p Presentation, e Expect) (Verified, error) {
	now := v.clock()
	identity, err := v.open(ctx, p.VerifiedID, p.VerifiedIDAt, e.VerifiedID, requestBinding{e.Session, e.TransactionData, p.IDToken, now})
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

func (v *Verifier) verifyFaceCheck(ctx context.Context, p Presentation, e Expect, verified *Verified) error {
	const what = "Face Check receipt"
	now := v.clock()
	receipt, err := v.open(ctx, p.FaceCheck, p.FaceCheckAt, e.FaceCheck, requestBinding{e.Session, nil, p.IDToken, now})
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

func (v *Verified) record(o ValidationFailure, cause error) ValidationFailure {
	if o != NoFailure {
		v.causes = append(v.causes, fmt.Sprintf("%s: %v", o, cause))
	}
	return o
}

// refused wraps err in ErrRefused, except for two causes that say nothing about the presentation: ctx ended, or a DID
// document could not be fetched. ctx.Err() counts only if it is the cause of err, so that cancelling a request never
// replaces a refusal.
func refused(ctx context.Context, what string, err error) error {
	if gone := ctx.Err(); gone != nil && errors.Is(err, gone) {
		return fmt.Errorf("verify the %s: %w", what, gone)
	}
	if errors.Is(err, did.ErrUnresolvable) {
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, what, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrRefused, what, err)
}

// validationFailure returns the gravest validation failure of a credential, and its cause. shortLived is set for types
// that are valid for minutes only and have no status.
func (v *Verifier) validationFailure(ctx context.Context, c *credential, now time.Time, shortLived bool) (ValidationFailure, error) {
	switch err := c.trusted(ctx, now); {
	case errors.Is(err, linkeddomain.ErrUnavailable), errors.Is(err, did.ErrUnresolvable): // an outage, not a lack of trust
		return StatusUnavailable, v.logFailure(ctx, c, err)
	case err != nil:
		return Untrusted, v.logFailure(ctx, c, err)
	}
	ends, err := c.current(now)
	if err != nil {
		return Expired, v.logFailure(ctx, c, err)
	}
	reference, there, err := c.status()
	if err == nil && !there && (shortLived || v.rules.StatusOptional(c.kind)) {
		if !ends { // HAIP 1.0 §6.1 requires exp, status or both; a credential with neither would be valid forever
			return Expired, v.logFailure(ctx, c, errors.New("credential has neither exp nor status"))
		}
		return NoFailure, nil
	}
	if err != nil || !there {
		return StatusUnavailable, v.logFailure(ctx, c, errors.Join(errors.New("credential names no status list"), err))
	}
	is, err := v.lists.Look(ctx, reference, func(list jws.JWS) error { return v.trustList(list, c, now) })
	switch {
	case err != nil:
		return StatusUnavailable, v.logFailure(ctx, c, err)
	case is != status.Valid:
		return Revoked, errors.New("its status list entry is not VALID")
	}
	return NoFailure, nil
}

// trustList verifies a status list's signature. Its signer must be trusted to issue the credential itself (Token Status
// List §11.3), or anybody could serve a list that hides a revocation.
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

// logFailure logs the cause of a validation failure and returns it. The log names the type and the rule, never the
// holder.
func (v *Verifier) logFailure(ctx context.Context, c *credential, err error) error {
	v.logger.InfoContext(ctx, "credential failed validation", "type", c.kind, "cause", err.Error())
	return fmt.Errorf("%s: %w", c.kind, err)
}
