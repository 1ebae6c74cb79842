package people_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"regain/conformance/people"
)

// A studio gives what the package gives, whether it keeps it or not, and whoever asks at the same time.
func TestStudioGivesWhatThePackageGives(t *testing.T) {
	ada, _ := people.Find("ada.lindqvist")
	moment := people.Conditions{Light: people.Poor, Seed: 3}
	portrait, err := ada.Portrait()
	if err != nil {
		t.Fatal(err)
	}
	selfie, err := ada.Selfie(moment)
	if err != nil {
		t.Fatal(err)
	}
	match, err := people.Compare(portrait, selfie)
	if err != nil {
		t.Fatal(err)
	}
	check := func(s *people.Studio) {
		if got, err := s.Portrait(ada); err != nil || !bytes.Equal(got, portrait) {
			t.Errorf("another portrait, %v", err)
		}
		if got, err := s.Selfie(ada, moment); err != nil || !bytes.Equal(got, selfie) {
			t.Errorf("another selfie, %v", err)
		}
		if got, err := s.Compare(portrait, selfie); err != nil || got != match {
			t.Errorf("another comparison: %v, %v", got, err)
		}
	}
	check(nil)
	var group sync.WaitGroup
	studio := new(people.Studio)
	for range 4 {
		group.Go(func() { check(studio) })
	}
	group.Wait()
	maria, _ := people.Find("maria.garcia")
	if other, err := studio.Portrait(maria); err != nil || bytes.Equal(other, portrait) {
		t.Errorf("two people have one portrait, %v", err)
	}
	if other, err := studio.Selfie(ada, people.Conditions{Light: people.Good, Seed: 3}); err != nil || bytes.Equal(other, selfie) {
		t.Errorf("two lights give one selfie, %v", err)
	}
	if same, err := studio.Compare(portrait, portrait); err != nil || same == match {
		t.Errorf("two selfies compare alike: %v, %v", same, err)
	}
}

func TestStudioKeepsNoFailure(t *testing.T) {
	studio := new(people.Studio)
	for range 2 {
		if _, err := studio.Portrait(people.Person{ID: "ada.lindqvist"}); !errors.Is(err, people.ErrNoFace) {
			t.Errorf("portrait: %v", err)
		}
		if _, err := studio.Compare([]byte("a face"), nil); !errors.Is(err, people.ErrPicture) {
			t.Errorf("comparison: %v", err)
		}
	}
	ada, _ := people.Find("ada.lindqvist")
	if portrait, err := studio.Portrait(ada); err != nil || len(portrait) == 0 {
		t.Errorf("after the failure: %d bytes, %v", len(portrait), err)
	}
	if _, err := studio.Portrait(people.Person{ID: ada.ID}); !errors.Is(err, people.ErrNoFace) {
		t.Errorf("a stranger with a known name: %v", err)
	}
}
