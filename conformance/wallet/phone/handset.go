package phone

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"sync"
	"time"

	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator"
)

// maxTasks is how many tasks a phone remembers.
const maxTasks = 8

// errNobody reports a Face Check on a phone that belongs to nobody yet.
var errNobody = errors.New("no person was chosen for this phone")

// handset is one browser's phone. mu is held while one of its requests is handled.
type handset struct {
	mu     sync.Mutex
	token  string // against forged requests
	wallet *wallet.Wallet
	// authenticator answers requests of the profile of 2022, out of credentials of its own.
	authenticator *authenticator.Wallet

	owner *Person
	photo []byte // the last selfie
	tasks []*task
	used  time.Time // guarded by phones.mu
}

// Selfie lets the wallet use the owner's camera, and keeps the picture for the page.
func (h *handset) Selfie(ctx context.Context) ([]byte, error) {
	if h.owner == nil {
		return nil, errNobody
	}
	photo, err := h.owner.Camera.Selfie(ctx)
	if err != nil {
		return nil, err
	}
	h.photo = photo
	return photo, nil
}

func (h *handset) owns(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(h.token)) == 1
}

// start puts a task on the phone and drops the oldest ones: links cost a stranger nothing.
func (h *handset) start(t *task) {
	h.tasks = append(h.tasks, t)
	if len(h.tasks) > maxTasks {
		h.tasks = slices.Delete(h.tasks, 0, len(h.tasks)-maxTasks)
	}
}

func (h *handset) task(id string) *task {
	for _, t := range h.tasks {
		if t.id == id {
			return t
		}
	}
	return nil
}
