package web

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Situation is where a person stands who reads a page of ours that is not a step: what became of the recovery, or why it does
// not go on.
type Situation string

// The situations. The first are of a request that cannot be answered, the second of a recovery that waits for a wallet, the
// third of a decision, the last of a recovery that is over.
const (
	NoPage         Situation = "no_page"
	NoMethod       Situation = "no_method"
	NoCookie       Situation = "no_cookie"     // the browser sent no cookie of ours at all
	OtherBrowser   Situation = "other_browser" // it sent cookies of ours, and not this recovery's
	NotHere        Situation = "not_here"      // it sent a cookie for this recovery, which fits to none that we have
	BroughtBack    Situation = "brought_back"  // a wallet opened another browser than the one that started
	CodeOver       Situation = "code_over"     // the six digits at the wallet's device are no longer shown
	Gone           Situation = "gone"          // the recovery expired under a step
	OldForm        Situation = "old_form"
	NotNow         Situation = "not_now"
	NotUnderstood  Situation = "not_understood" // the client's request; the text is the protocol's
	RequestOver    Situation = "request_over"   // the client's request was answered, or is too old
	ServerProblem  Situation = "server_problem"
	Starting       Situation = "starting"       // the service is there, and its database is not yet
	NothingShared  Situation = "nothing_shared" // at the wallet's device: no answer was given
	Waiting        Situation = "waiting"
	Opened         Situation = "opened"
	Declined       Situation = "declined"
	WalletProblem  Situation = "wallet_problem"
	Closed         Situation = "closed"       // every channel had too many invalid responses
	BrowserLeft    Situation = "browser_left" // every channel but the Digital Credentials API had, which few browsers know
	ComeBack       Situation = "come_back"    // same device: the answer waits for the browser's return
	TypeCode       Situation = "type_code"
	WasItYou       Situation = "was_it_you"
	Approved       Situation = "approved"
	PassReady      Situation = "pass_ready" // approved, and the pass is shown here
	Evaluated      Situation = "evaluated"
	NotVerified    Situation = "not_verified" // one for every cause that depends on the account
	FaceCheck      Situation = "face_check"
	CredentialBad  Situation = "credential"
	FarAway        Situation = "network"
	TooMany        Situation = "too_many_attempts"
	Unavailable    Situation = "unavailable"
	PassNotMade    Situation = "pass_not_made" // where the pass is shown here
	PassLost       Situation = "pass_lost"     // where the client fetches it
	PassShown      Situation = "pass_shown"
	Returned       Situation = "returned"
	Cancelled      Situation = "cancelled"
	EndedElsewhere Situation = "ended_elsewhere" // the wallet's answer came back in another browser
	Expired        Situation = "expired"
)

// Words are what a person reads in a situation: a heading and a text that say the same, what else they can do, and the one
// next step as a button, "" where the page's own form has it.
type Words struct {
	Heading, Text string
	Next          []string
	Button        string
}

// Labels of buttons that lead somewhere else than to the client.
const (
	backToRecovery = "Back to your recovery"
	tryAgain       = "Try again"
	howToStart     = "How to start again"
	askAgain       = "Start over with a new request"
)

const (
	organisation = "{organisation}"
	backToClient = "Back to " + organisation
	startAgain   = "Start again at " + organisation
	helpDesk     = "Ask your organisation's help desk. Give them the reference at the bottom of this page."
)

// Of returns the words of a situation for somebody whose account is at an organisation, "" for one that is not known. It is
// the one table: no page has a heading of its own for any of these.
func (s Situation) Of(name string) Words {
	if name == "" {
		name = "your organisation"
	}
	words := s.words()
	fill := func(text string) string { return strings.ReplaceAll(text, organisation, name) }
	words.Text, words.Button = fill(words.Text), fill(words.Button)
	return words
}

func (s Situation) words() Words {
	if words, ok := allWords()[s]; ok {
		return words
	}
	return allWords()[ServerProblem]
}

// allWords are put together once, and not for each page, and never change.
//
//nolint:gochecknoglobals // see above
var allWords = sync.OnceValue(func() map[Situation]Words {
	all := make(map[Situation]Words)
	for _, group := range []map[Situation]Words{ofRequests(), ofWallets(), ofDecisions(), ofEnds()} {
		maps.Copy(all, group)
	}
	return all
})

func ofRequests() map[Situation]Words {
	return map[Situation]Words{
		NoPage:   {"This page does not exist", "The address may be mistyped. A recovery starts at your organisation's sign-in page.", nil, howToStart},
		NoMethod: {"This page cannot be used like that", "Open it from your recovery instead.", nil, backToRecovery},
		NoCookie: {"This page needs a cookie", "Your browser did not send the cookie that was set when the recovery began. If it blocks cookies, allow them for this site and start again. " +
			"If it does not, this page is out of date, or this recovery belongs to another browser: go on in the browser where you started.",
			[]string{"If somebody sent you here and you did not start a recovery, close this page."}, howToStart},
		OtherBrowser: {"This recovery belongs to another browser", "A recovery can only be finished in the browser that started it. If you started it, go on there.",
			[]string{"If somebody sent you here and you did not start a recovery, close this page."}, howToStart},
		NotHere: {"This recovery is not here any more", "It is over, and what was kept for it is deleted. Start again at your organisation's sign-in page.",
			[]string{"If it began a moment ago, it belongs to another browser: go on there."}, howToStart},
		BroughtBack: {"Your wallet opened another browser", "What you showed counts only in the browser where the recovery was started, and this is not that one. To be safe, the recovery was ended.",
			[]string{"If you started it: start again, in the browser that your wallet opens, or show the QR code to your wallet.", "If somebody sent you a link or a code: you did nothing wrong, and nothing was opened to them. Tell your organisation's help desk."}, howToStart},
		CodeOver: {"There is no code to show here", "It was typed already, was replaced, or is over. Look at the screen where you started: it says how to go on.", nil, howToStart},
		Gone:     {"This recovery has expired", "The time for it was over before this step. Start again at your organisation's sign-in page.", nil, howToStart},
		OldForm:  {"This form is out of date", "The page had changed since it was shown. Nothing was done; go on from the page as it is now.", nil, backToRecovery},
		NotNow:   {"That step is not possible now", "It was done already, or the recovery has moved on meanwhile. Its page says where things stand.", nil, backToRecovery},
		NotUnderstood: {"Your organisation's request was not understood", "Go back to the page that sent you here, and try again.",
			[]string{"If it happens again, tell your organisation's help desk the reference at the bottom of this page."}, howToStart},
		RequestOver:   {"This link was used already, or is too old", "Your organisation's request was not understood any more: such a link works once, and for a short time. Start again at your organisation's sign-in page.", nil, howToStart},
		ServerProblem: {"Something went wrong on our side", "Try again in a moment. If it happens again, start anew at your organisation's sign-in page in a few minutes.", nil, tryAgain},
		Starting:      {"Not available just now", "The service is being started, or waits for a part of it. Nothing is lost: try again in a minute.", []string{"If it goes on for long, tell your organisation's help desk."}, tryAgain},
		NothingShared: {"Nothing was shared", "You can close this page. On the screen where you started, you can try again or cancel.", nil, ""},
	}
}

func ofWallets() map[Situation]Words {
	const title = "Show your Verified ID"
	return map[Situation]Words{
		Waiting:       {title, "Waiting for your wallet …", nil, ""},
		Opened:        {title, "Opened in your wallet. Follow the steps there.", nil, ""},
		Declined:      {"You declined in your wallet", "Nothing was shared. You can answer again below, start over, or cancel.", nil, askAgain},
		WalletProblem: {"Your wallet could not answer", "Check that it holds a Verified ID. You can try again below, start over, or cancel.", nil, askAgain},
		Closed:        {"This request was closed", "Too many invalid responses came. Start over with a new request.", nil, askAgain},
		BrowserLeft:   {"The way to your wallet was closed", "Too many invalid responses came by it. Start over with a new request.", nil, askAgain},
		ComeBack:      {"Come back from your wallet", "Your wallet has answered. Come back through the page it opened in this browser.", nil, askAgain},
		TypeCode:      {"Type the code from your wallet", "Your wallet has answered. To be sure that it is in your hands, type the six digits that its screen shows now.", nil, "Confirm"},
		WasItYou:      {"Was that you?", "A wallet has answered this request. Go on only if that was you, just now, with your own wallet.", nil, "It was me: go on"},
	}
}

func ofDecisions() map[Situation]Words {
	return map[Situation]Words{
		Approved:  {"We confirmed it is you", "Your Verified ID and your Face Check match this account.", nil, "Continue to " + organisation},
		PassReady: {"We confirmed it is you: your pass is ready", "Your Verified ID and your Face Check match this account. You get a pass with which you sign in at " + organisation + ".", nil, "Show my pass"},
		Evaluated: {"This was a trial run", "Everything matched. " + organisation + " is still evaluating account recovery, so no pass was issued and nothing about your account changed.",
			[]string{"If you really are locked out, ask your organisation's help desk."}, backToClient},
		NotVerified: {"We could not confirm that this is your account", "What your wallet showed does not match this account, or the account cannot be recovered here.",
			[]string{"Check that you typed the right account name at your organisation's sign-in page.", "Check that the wallet holds your own, current Verified ID.", helpDesk}, backToClient},
		FaceCheck: {"The Face Check did not succeed", "The Face Check did not show clearly enough that the Verified ID is yours.",
			[]string{"Try again facing a light, without glasses or a hat, with the camera at eye level.", helpDesk}, backToClient},
		CredentialBad: {"This Verified ID cannot be used", "It may be revoked, out of date, or from an issuer your organisation does not accept.",
			[]string{"Start again and get a new Verified ID on the way.", helpDesk}, backToClient},
		FarAway: {"Your devices are not in one place", "Your wallet's device is not in the same network as this one. Your organisation wants both in one place.",
			[]string{"Connect your phone to the same Wi-Fi as this device and start again.", "Or use a wallet on this device.", helpDesk}, backToClient},
		TooMany: {"There were too many attempts", "Recoveries from here, or of this account, were started too often. This is a protection for your account, and ends by itself.",
			[]string{"Try again later: after an hour, unless your organisation chose another time.", helpDesk}, backToClient},
		Unavailable: {"A service did not answer", "A service that has to take part did not answer, so nothing was decided about you or your Verified ID.",
			[]string{"Try again in a few minutes.", helpDesk}, backToClient},
	}
}

func ofEnds() map[Situation]Words {
	return map[Situation]Words{
		PassNotMade: {"Your pass could not be made", "We confirmed that it is you. Your pass was being made, and did not get as far as this page. If there is one, nobody has it, and it stops working by itself. Start a new recovery at " + organisation + ".", nil, startAgain},
		PassLost:    {"Your pass may be lost", "We confirmed that it is you, and " + organisation + " was fetching your pass. If its page does not go on, the pass was lost on the way, and nobody can use it. Start a new recovery at " + organisation + ".", nil, startAgain},
		PassShown: {"Your pass was shown", "It is not shown again. If you did not note it, start a new recovery at " + organisation + ": the pass that was shown stops working by itself.",
			nil, "Continue to " + organisation},
		Returned:  {"This recovery is complete", organisation + " has the answer. There is nothing more to do here. If its page does not go on, start again there.", nil, startAgain},
		Cancelled: {"You cancelled the recovery", "Nothing about your account at " + organisation + " changed, and everything that was kept for the recovery is deleted.", nil, backToClient},
		EndedElsewhere: {"Your wallet came back to another browser", "Your wallet answered, and opened another browser than this one. To be safe, the recovery was ended. Nothing about your account changed.",
			[]string{"Start again in the browser that your wallet opens, or show the QR code to your wallet."}, backToClient},
		Expired: {"The time for this recovery is over", "It was not finished in time, and everything that was shared for it is deleted. Start again at " + organisation + "'s sign-in page.", nil, backToClient},
	}
}

// Situations lists every situation.
func Situations() []Situation { return slices.Collect(maps.Keys(allWords())) }
