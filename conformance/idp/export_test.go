package idp

import "time"

// What the tests of this package look at from outside.

// RevealSecret makes a secret and asks for it.
func RevealSecret(value string) string { return newSecret(value).Reveal() + secret{}.Reveal() }

// SecretHolders are the types that hold secrets, each holding the one given.
func SecretHolders(value string) []any {
	s := newSecret(value)
	claims := recoveryClaims{Nonce: s}
	claims.Recovery.Pass.Value = s
	return []any{
		s, &s, attempt{state: s, nonce: s, verifier: s}, tokens{Access: s, ID: s, Recovery: s}, recovered{pass: s},
		session{proof: recovered{pass: s}}, view{Pass: s}, claims,
	}
}

// Shelf is a shelf of strings.
type Shelf struct{ *shelf[string] }

// NewTestShelf makes one.
func NewTestShelf(clock func() time.Time) Shelf { return Shelf{newShelf[string](clock)} }

func (s Shelf) Put(key, value string, until time.Time) bool { return s.put(key, value, until) }
func (s Shelf) Add(key, value string, until time.Time) bool { return s.add(key, value, until) }
func (s Shelf) Get(key string) (string, bool)               { return s.get(key) }
func (s Shelf) Take(key string) (string, bool)              { return s.take(key) }
func (s Shelf) Drop(unwanted func(string) bool)             { s.drop(unwanted) }
func (s Shelf) Change(key string, edit func(*string)) bool  { return s.change(key, edit) }

// MaxKept is the bound of a shelf.
const MaxKept = maxKept
