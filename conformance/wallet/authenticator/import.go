package authenticator

import (
	"context"
	"errors"
	"fmt"
)

// ErrCredential reports a JWT VC that the wallet does not keep.
var ErrCredential = errors.New("credential not usable")

// Source says where a credential came from: what its issuer offers beside it. All members may be
// empty.
type Source struct {
	Name         string // of the kind of credential, for the card
	Issuer       string // credential issuer identifier: audience of a Face Check's presentation
	FaceCheckURL string // where a Face Check is taken
	NonceURL     string // where a c_nonce for it comes from
}

// Import puts a JWT VC into the wallet that was issued to its DID. What is not right about it is
// said by an error that is ErrCredential.
func (w *Wallet) Import(ctx context.Context, vc string, from Source) (Credential, error) {
	c, err := w.check.inspect(ctx, vc)
	if err != nil {
		return Credential{}, fmt.Errorf("importing a credential: %w", err)
	}
	if from.Name != "" {
		c.Name = from.Name
	}
	w.held.Put(&holding{Credential: c, from: from})
	w.cfg.Logger.InfoContext(ctx, "credential added", "credential", c)
	return c, nil
}
