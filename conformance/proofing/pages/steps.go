package pages

import (
	"crypto/subtle"
	"net/http"

	"regain/conformance/people"
	"regain/conformance/proofing/credential"
)

// advance takes one step of a form and says where the browser goes next.
func (p *Pages) advance(r *http.Request, step string) (string, error) {
	next, genuine := "", false
	found := p.journeys.travel(r, func(j *journey) {
		genuine = subtle.ConstantTimeCompare([]byte(j.csrf), []byte(r.PostForm.Get("csrf"))) == 1
		if genuine {
			next = j.step(step, p.clock())
		}
	})
	switch {
	case !found:
		return "", errNoJourney
	case !genuine:
		return "", errForm
	case step == "document":
		return next, p.readDocument(r)
	case step == "face":
		return next, p.takeSelfie(r)
	case step == "renew":
		return next, p.renew(r)
	}
	return next, nil
}

// readDocument reads the document of the sample person that the form names.
func (p *Pages) readDocument(r *http.Request) error {
	person, found := people.Find(r.PostForm.Get("person"))
	if !found {
		return errForm
	}
	file, err := credential.NewDossier(person, p.studio)
	if err != nil {
		return err
	}
	p.journeys.travel(r, func(j *journey) {
		if j.stage == stageDocument || j.stage == stageCheck {
			j.file, j.stage, j.selfie = file, stageCheck, nil
		}
	})
	return nil
}
