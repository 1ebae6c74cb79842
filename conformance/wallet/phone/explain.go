package phone

import (
	"errors"
	"net/http"

	"regain/conformance/sdjwt"
	"regain/conformance/wallet"
)

// problem is what went wrong in the words of somebody who has never heard of a protocol.
type problem struct {
	Title string // what
	Why   string
	Do    string // what to do about it
}

func notACode() problem {
	return problem{"This is not a code for a wallet", "The text holds neither an offer of a Verified ID nor a request for one.",
		"Scan the code again, or copy the whole link."}
}

func faceCheckFirst() problem {
	return problem{"A Face Check comes first", "The last one is too old, or was taken for another request.", "Take a Face Check now."}
}

func codeFirst() problem {
	return problem{"The code was not accepted", "It is missing or not the right one, or the offer is too old.",
		"Type the code again. If it still does not work, go back to the issuer's page and ask for a new one."}
}

func nobody() problem {
	return problem{"Whose phone is this?", "The camera does not know whose face it should see.", "Choose a person first."}
}

func noPicture() problem {
	return problem{"The Face Check did not work", "No usable picture could be taken.",
		"Hold the phone at eye level, in even light, and try again."}
}

// again reports whether the same step may be tried once more.
func (p problem) again() bool { return p == faceCheckFirst() || p == nobody() || p == codeFirst() }

// explain finds the words for an error. other is who the phone was talking to.
func explain(err error, other string) problem {
	var refused *wallet.ResponseError
	var untrusted *wallet.RequestError
	switch {
	case errors.Is(err, wallet.ErrExpired):
		return problem{"This request is too old", "It was meant to be answered within a few minutes.", "Go back to the site you came from and start again."}
	case errors.As(err, &untrusted):
		return problem{"This request cannot be trusted", "The wallet could not make sure who is asking, or the request breaks the rules. Nothing was shared.",
			"Do not go on. If you started this yourself, go back and start again; if it fails again, tell your help desk."}
	case errors.Is(err, wallet.ErrFaceCheckNeeded):
		return faceCheckFirst()
	case errors.Is(err, errNobody):
		return nobody()
	case errors.Is(err, wallet.ErrNothingToShare), errors.Is(err, wallet.ErrNotHeld):
		return problem{"You do not have what is asked for", "Nothing in this wallet answers the request.", "Get a Verified ID first, then open the request again."}
	case errors.Is(err, wallet.ErrNoFaceCheck):
		return problem{"No Face Check with this Verified ID", "It holds no portrait, or its issuer compares no faces.", "Get another Verified ID, one with a portrait."}
	case errors.Is(err, wallet.ErrTransactionCode):
		return codeFirst()
	case errors.Is(err, wallet.ErrOffer), errors.Is(err, sdjwt.ErrMalformed):
		return problem{"This offer cannot be used", "What was offered is damaged, or is not something this wallet can hold.", "Go back to the issuer's page and ask for a new code."}
	case errors.As(err, &refused):
		return refusal(refused, other)
	}
	return problem{"Something did not work", "The phone could not finish the step with " + other + ".", "Check your connection, then go back to where you started and try again."}
}

func refusal(refused *wallet.ResponseError, other string) problem {
	switch {
	case refused.Code == "invalid_selfie":
		return noPicture()
	case refused.Code == "invalid_grant":
		return problem{"This offer was used or is too old", "An offer works once and for a few minutes.", "Go back to the issuer's page and ask for a new code."}
	case refused.Status == http.StatusNotFound || refused.Status == http.StatusGone:
		return problem{"This link no longer works", "It was used already, or its time is over.", "Go back to the site you came from and start again."}
	case refused.Status >= 500:
		return problem{"The other side has a problem", "There was a fault at " + other + ".", "Wait a few minutes, then start again."}
	}
	return problem{"The answer was not accepted", "It was turned down by " + other + ".", "Go back to the site you came from and start again. If it happens again, tell your help desk."}
}
