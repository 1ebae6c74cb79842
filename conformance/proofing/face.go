package proofing

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"

	"regain/conformance/people"
)

// takeSelfie takes a picture of the person in front of the camera and compares it with the document. Drawing and
// comparing happen outside the lock.
func (s *Server) takeSelfie(r *http.Request) error {
	var (
		file  dossier
		ready bool
	)
	s.travel(r, func(j *journey) {
		if ready = j.stage == stageFace && j.selfies < maxSelfies; ready {
			j.selfies++
			file = j.file
		}
	})
	if !ready {
		return nil
	}
	light := people.Good
	if r.PostForm.Get("light") == string(people.Poor) {
		light = people.Poor
	}
	var seed [8]byte
	if _, err := io.ReadFull(s.config.Random, seed[:]); err != nil {
		return fmt.Errorf("choosing a moment: %w", err)
	}
	selfie, err := s.config.Studio.Selfie(file.person, people.Conditions{Light: light, Seed: int64(binary.BigEndian.Uint64(seed[:]))})
	if err != nil {
		return err
	}
	match, err := s.config.Studio.Compare(file.portrait, selfie)
	if err != nil {
		return err
	}
	if match.Score < threshold {
		s.travel(r, func(j *journey) { j.missed(selfie, match.Score) })
		return nil
	}
	made, err := s.offerTo(file)
	if err != nil {
		return err
	}
	s.travel(r, func(j *journey) {
		if j.stage == stageFace {
			j.selfie, j.score, j.offer, j.stage = selfie, match.Score, made, stageOffer
		}
	})
	return nil
}

func (j *journey) missed(selfie []byte, score float64) {
	if j.stage != stageFace {
		return
	}
	j.selfie, j.score = selfie, score
	if j.selfies >= maxSelfies {
		j.stage = stageFailed
	}
}

// renew makes a new offer where the old one was not fetched in time.
func (s *Server) renew(r *http.Request) error {
	var (
		file   dossier
		lapsed bool
	)
	s.travel(r, func(j *journey) {
		lapsed = j.now(s.config.Clock()) == stageLapsed
		file = j.file
	})
	if !lapsed {
		return nil
	}
	made, err := s.offerTo(file)
	if err != nil {
		return err
	}
	s.travel(r, func(j *journey) {
		if j.now(s.config.Clock()) == stageLapsed {
			j.offer = made
		}
	})
	return nil
}
