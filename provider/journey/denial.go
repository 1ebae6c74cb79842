package journey

import "regain/recovery"

// denial is what a person reads when the answer is no. The shape is the same for every cause that could tell somebody
// something about the account (nothing to enumerate).
type denial struct {
	What string
	Next []string
}

func denialFor(reason recovery.PublicReason) denial {
	helpdesk := "Ask your organisation's help desk. Give them the reference at the bottom of this page."
	switch reason {
	case recovery.PublicFaceCheck:
		return denial{"The Face Check did not show clearly enough that the Verified ID is yours.",
			[]string{"Try again facing a light, without glasses or a hat, with the camera at eye level.", helpdesk}}
	case recovery.PublicCredential:
		return denial{"The Verified ID cannot be used: it may be revoked, out of date, or from an issuer your organisation does not accept.",
			[]string{"Start again and get a new Verified ID on the way.", helpdesk}}
	case recovery.PublicNetwork:
		return denial{"Your wallet's device is not in the same network as this one. Your organisation wants both in one place.",
			[]string{"Connect your phone to the same Wi-Fi as this device and start again.", "Or use a wallet on this device.", helpdesk}}
	case recovery.PublicTooManyAttempts:
		return denial{"There were too many attempts. This is a protection for your account.",
			[]string{"Wait an hour, then try again.", helpdesk}}
	case recovery.PublicUnavailable:
		return denial{"A service that has to take part did not answer.", []string{"Try again in a few minutes.", helpdesk}}
	}
	return denial{"What your wallet showed does not match this account, or the account cannot be recovered here.",
		[]string{"Check that you typed the right account name at your organisation's sign-in page.", "Check that the wallet holds your own, current Verified ID.", helpdesk}}
}
