// Package store is where a wallet keeps its credentials and the Face Check receipts taken for
// them. The wallet knows what each is and how it is shown.
package store

import (
	"slices"
	"sync"
)

// Held is a credential or a receipt. It never changes once it is in a store.
type Held interface {
	// Names returns the identifier in the wallet and, of a receipt, that of the credential whose
	// portrait was compared.
	Names() (id, source string)
}

// Store holds what one person has, oldest first. The zero value is empty, and it is safe for
// concurrent use.
type Store[H Held] struct {
	mu   sync.Mutex
	held []H
}

// Put adds one.
func (s *Store[H]) Put(h H) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = append(s.held, h)
}

// All returns what is held at this moment; the slice is the caller's.
func (s *Store[H]) All() []H {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.held)
}

// Credentials returns all that is no receipt.
func (s *Store[H]) Credentials() []H {
	return slices.DeleteFunc(s.All(), func(h H) bool {
		_, source := h.Names()
		return source != ""
	})
}

// Receipts returns those taken for a credential.
func (s *Store[H]) Receipts(credential string) []H {
	return slices.DeleteFunc(s.All(), func(h H) bool {
		_, source := h.Names()
		return source == "" || source != credential
	})
}

// Find returns the one of that identifier.
func (s *Store[H]) Find(id string) (H, bool) {
	for _, h := range s.All() {
		if name, _ := h.Names(); name == id {
			return h, true
		}
	}
	var none H
	return none, false
}

// Forget removes a credential and its receipts.
func (s *Store[H]) Forget(credential string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = slices.DeleteFunc(s.held, func(h H) bool {
		id, source := h.Names()
		return id == credential || source == credential
	})
}
