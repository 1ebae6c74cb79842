package pages

import (
	"time"

	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/handoff"
	"regain/conformance/proofing/offer"
)

// stage is where a journey stands.
type stage string

// The stages. Taken, done and lapsed follow from what the wallet does with the offer.
const (
	stageWelcome  stage = "welcome"  // who verifies, and on what terms
	stageDocument stage = "document" // choose a document
	stageCheck    stage = "check"    // the document was read
	stageFace     stage = "face"     // take a selfie
	stageOffer    stage = "offer"    // the Verified ID waits for the wallet
	stageTaken    stage = "taken"    // the wallet came for it
	stageDone     stage = "done"     // the wallet has it
	stageLapsed   stage = "lapsed"   // not fetched in time, or too many wrong codes
	stageFailed   stage = "failed"   // the face did not match, too often
)

// maxSelfies is how often somebody may try before the journey fails.
const maxSelfies = 5

// journey is one person's way through the pages. Its fields are guarded by journeys.mu.
type journey struct {
	csrf    string
	from    *handoff.Handoff // nil for a person who came by themselves
	stage   stage
	expires time.Time

	file    credential.Dossier
	selfie  []byte // the last one, while it may be looked at
	selfies int
	score   float64
	offer   *offer.Offer
}

// now is the stage with what the wallet did.
func (j *journey) now(at time.Time) stage {
	if j.stage != stageOffer {
		return j.stage
	}
	switch j.offer.State(at) {
	case offer.Fetched:
		return stageDone
	case offer.Taken:
		return stageTaken
	case offer.Lapsed:
		return stageLapsed
	}
	return stageOffer
}

// step makes the changes that need nothing but the journey. One that does not fit the stage changes nothing: the
// browser went back, or sent the form twice, and is shown where it stands.
func (j *journey) step(step string, now time.Time) (next string) {
	at := j.now(now)
	switch {
	case step == "agree" && at == stageWelcome:
		j.stage = stageDocument
	case step == "again" && at == stageCheck:
		j.stage = stageDocument
	case step == "confirm" && at == stageCheck:
		j.stage = stageFace
	case step == "cancel" && at != stageDone && at != stageFailed:
		j.expires = time.Time{}
		return j.leave("cancelled")
	case step == "return" && at == stageDone:
		j.selfie = nil
		return j.leave("completed")
	case step == "return" && at == stageFailed:
		j.selfie = nil
		return j.leave("failed")
	}
	return "/journey"
}

// leave is where a person goes who is through here.
func (j *journey) leave(status string) string {
	if j.from == nil {
		return "/"
	}
	return j.from.ReturnURL(status)
}
