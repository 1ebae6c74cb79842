package pages

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"

	"regain/conformance/people"
	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/facecheck"
)

// takeSelfie takes a picture of the person in front of the camera and compares it with the document. Drawing and
// comparing happen outside the lock.
func (p *Pages) takeSelfie(r *http.Request) error {
	var (
		file  credential.Dossier
		ready bool
	)
	p.journeys.travel(r, func(j *journey) {
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
	if _, err := io.ReadFull(p.random, seed[:]); err != nil {
		return fmt.Errorf("choosing a moment: %w", err)
	}
	selfie, err := p.studio.Selfie(file.Person, people.Conditions{Light: light, Seed: int64(binary.BigEndian.Uint64(seed[:]))})
	if err != nil {
		return err
	}
	match, err := p.studio.Compare(file.Portrait, selfie)
	if err != nil {
		return err
	}
	if match.Score < facecheck.Threshold {
		p.journeys.travel(r, func(j *journey) { j.missed(selfie, match.Score) })
		return nil
	}
	made, err := p.offers.OfferTo(file)
	if err != nil {
		return err
	}
	p.journeys.travel(r, func(j *journey) {
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
func (p *Pages) renew(r *http.Request) error {
	var (
		file   credential.Dossier
		lapsed bool
	)
	p.journeys.travel(r, func(j *journey) {
		lapsed = j.now(p.clock()) == stageLapsed
		file = j.file
	})
	if !lapsed {
		return nil
	}
	made, err := p.offers.OfferTo(file)
	if err != nil {
		return err
	}
	p.journeys.travel(r, func(j *journey) {
		if j.now(p.clock()) == stageLapsed {
			j.offer = made
		}
	})
	return nil
}
