// Package trust says who may issue what: rules that tie credential types to the X.509 anchors, and if need be the
// issuers, that are trusted to issue them. A chain that leads to an anchor of one type proves nothing for another
// (SD-JWT VC §7.7). Where there is no authority to anchor trust in, a rule names the signers themselves.
package trust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"regain/internal/publickey"
)

// Rule trusts issuers under Anchors, and Signers, to issue credentials of Types. It needs anchors, signers or DIDs.
type Rule struct {
	Types   []string // vct values, and the doctypes of mdocs
	Anchors []*x509.Certificate
	// Signers are pinned: a leaf that is one of these, byte for byte, is trusted without an anchor and whatever it says
	// of itself, be it self-signed or an authority's. Only its dates still hold.
	Signers []*x509.Certificate
	Issuers []string // allowed iss values; empty allows any. An mdoc has no iss, so a list allows none
	// DIDs are issuers of JWT VCs that are known by their DIDs, and by no certificate.
	DIDs []string
	// LinkedDomain wants the domain of such a DID to vouch for it (DIF Well Known DID Configuration).
	LinkedDomain bool
	// StatusOptional accepts credentials without a status list entry, for types that live minutes.
	StatusOptional bool
}

// Errors of a chain.
var (
	ErrUntrusted = errors.New("issuer is not trusted for this type")
	ErrMalformed = errors.New("malformed certificate chain")
)

// maxCached bounds the cache of chains that were verified: issuers are few, their credentials many. Nobody signs an
// x5chain, so a holder may add certificates to one that is trusted as often as they like; those push each other out.
const maxCached = 1024

// Rules are all rules of a deployment. It is safe for concurrent use.
type Rules struct {
	byType map[string]rule
	chains *lru.Cache[[sha256.Size]byte, verified]
}

type rule struct {
	Rule
	pool    *x509.CertPool
	signers []signer
	id      string // names the set of anchors in the cache
}

// verified is a chain that led to an anchor, or whose leaf is pinned, when it does so, and the key that it vouches for.
type verified struct {
	notBefore, notAfter time.Time
	key                 *ecdsa.PublicKey
	leaf                *x509.Certificate
	pinned              bool
}

// New refuses rules that trust nobody or contradict each other.
func New(list []Rule) (*Rules, error) {
	chains, err := lru.New[[sha256.Size]byte, verified](maxCached)
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	r := &Rules{byType: make(map[string]rule), chains: chains}
	for i, one := range list {
		if len(one.Types) == 0 || len(one.Anchors)+len(one.Signers)+len(one.DIDs) == 0 {
			return nil, fmt.Errorf("trust[%d]: types, and anchors, signers or dids, are required", i)
		}
		signers, err := pin(one.Signers)
		if err != nil {
			return nil, fmt.Errorf("trust[%d]: %w", i, err)
		}
		pool := x509.NewCertPool()
		for _, anchor := range one.Anchors {
			if anchor == nil || !anchor.IsCA {
				return nil, fmt.Errorf("trust[%d]: an anchor is not a CA certificate", i)
			}
			pool.AddCert(anchor)
		}
		for _, name := range one.Types {
			if _, twice := r.byType[name]; name == "" || twice {
				return nil, fmt.Errorf("trust[%d]: type %q is empty or has a rule already", i, name)
			}
			r.byType[name] = rule{Rule: one, pool: pool, signers: signers, id: fmt.Sprint(i)}
		}
	}
	return r, nil
}

// StatusOptional reports whether credentials of this type may have no status.
func (r *Rules) StatusOptional(name string) bool { return r.byType[name].StatusOptional }

// Leaf returns the public key that signed, whether or not anybody trusts it: so that a forged signature can be told
// from an unknown issuer.
func Leaf(chain [][]byte) (*ecdsa.PublicKey, error) {
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: there is no certificate", ErrMalformed)
	}
	leaf, err := publickey.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("%w: leaf: %w", ErrMalformed, unread(err))
	}
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: the leaf's key is not on P-256", ErrMalformed)
	}
	return key, nil
}

// Leaf is the function Leaf, for a credential of a type. The certificate of an issuer that was trusted before is not
// parsed again.
func (r *Rules) Leaf(chain [][]byte, name string) (*ecdsa.PublicKey, error) {
	rule := r.byType[name]
	if signer := rule.pinned(chain); signer != nil {
		return signer.key, nil
	}
	known, _ := r.chains.Get(cacheKey(rule.id, chain))
	if known.key != nil && known.key.Curve == elliptic.P256() {
		return known.key, nil
	}
	return Leaf(chain)
}

// Check reports, as ErrUntrusted, that a chain (DER, leaf first, without the anchor) is not trusted to issue
// credentials of a type in the name of issuer at now. An empty issuer stands for a credential without iss.
func (r *Rules) Check(chain [][]byte, name, issuer string, now time.Time) error {
	_, err := r.check(chain, name, issuer, now)
	return err
}

func (r *Rules) check(chain [][]byte, name, issuer string, now time.Time) (verified, error) {
	rule, ok := r.byType[name]
	if !ok {
		return verified{}, fmt.Errorf("%w: no rule for the type", ErrUntrusted)
	}
	if len(rule.Issuers) > 0 && !slices.Contains(rule.Issuers, issuer) {
		return verified{}, fmt.Errorf("%w: iss is not on the list", ErrUntrusted)
	}
	if signer := rule.pinned(chain); signer != nil {
		return verifiedSigner(signer, now)
	}
	key := cacheKey(rule.id, chain)
	known, cached := r.chains.Get(key)
	// Where an authority renewed its certificate another chain may hold when the one remembered no longer does.
	if !cached || now.Before(known.notBefore) || now.After(known.notAfter) {
		var err error
		if known, err = rule.verify(chain, now); err != nil {
			return verified{}, err
		}
		r.chains.Add(key, known) // only one that was trusted: strangers cannot fill the cache
	}
	return known, nil
}

func cacheKey(rule string, chain [][]byte) [sha256.Size]byte {
	h := sha256.New()
	// Lengths in front, so that no two lists of certificates have the same bytes.
	h.Write(binary.BigEndian.AppendUint32([]byte(rule+"\n"), uint32(len(chain)))) //nolint:gosec // four certificates at most
	for _, der := range chain {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(der)))) //nolint:gosec // as long as a header may be, at most
		h.Write(der)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
