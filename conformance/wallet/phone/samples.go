package phone

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"regain/conformance/people"
)

// SamplePeople are the made-up people of the demo, each with a camera in the light that person
// takes selfies in. Every selfie is another moment.
func SamplePeople(random io.Reader) []Person {
	var all []Person
	for _, p := range people.Samples() {
		all = append(all, Person{ID: p.ID, Name: p.PrintedName(), Hint: p.Meets, Camera: sitting{person: p, random: random}})
	}
	return all
}

type sitting struct {
	person people.Person
	random io.Reader
}

// Selfie draws the person.
func (s sitting) Selfie(context.Context) ([]byte, error) {
	var seed [4]byte
	if _, err := io.ReadFull(s.random, seed[:]); err != nil {
		return nil, fmt.Errorf("reading randomness: %w", err)
	}
	return s.person.Selfie(people.Conditions{Light: s.person.Light, Seed: int64(binary.BigEndian.Uint32(seed[:]))})
}
