package people

// Samples lists the sample people. The slice is the caller's own.
func Samples() []Person {
	return []Person{ada(), maria(), tomasz(), jon(), priya(), grace(), lena()}
}

func ada() Person {
	return Person{
		ID: "ada.lindqvist", Account: "ada.lindqvist@example.org", AccountID: "1978e91f-65d7-4cbf-b14c-f6e1641c271f",
		DirectoryGivenName: "Ada", DirectoryFamilyName: "Lindqvist",
		GivenName: "Ada", FamilyName: "Lindqvist", Birthdate: "1988-03-14",
		DocumentType: "passport", DocumentNumber: "SE4410927",
		Groups: []string{"employees"}, Light: Good,
		Meets: "Recovers the account: the names match exactly and the face is hers.",
		face: face{
			skin: rgb(246, 214, 190), hair: rgb(206, 156, 78), iris: rgb(74, 124, 170), lips: rgb(196, 96, 98),
			cloth: rgb(46, 92, 132), backdrop: rgb(214, 226, 236), width: 0.40, height: 0.55, jaw: 0.30,
			eyeGap: 0.175, eyeSize: 0.074, browHeight: 0.125, browThick: 0.018, browTilt: -0.12,
			noseLength: 0.17, mouthWidth: 0.15, lipThick: 0.042, style: styleLong, hairline: -0.40,
		},
	}
}

func maria() Person {
	return Person{
		ID: "maria.garcia", Account: "maria.garcia@example.org", AccountID: "852d59d3-3ba0-4f53-9ecc-65bcb9c0cc51",
		DirectoryGivenName: "Maria", DirectoryFamilyName: "Garcia",
		GivenName: "Maria Elena", FamilyName: "Garcia Lopez", Birthdate: "1979-11-02",
		DocumentType: "passport", DocumentNumber: "ES8802314",
		Groups: []string{"contractors"}, Light: Good,
		Meets: "Recovers the account by the relaxed match: the passport prints more names than the directory keeps.",
		face: face{
			skin: rgb(224, 176, 138), hair: rgb(64, 38, 28), iris: rgb(86, 56, 34), lips: rgb(176, 56, 66),
			cloth: rgb(150, 52, 64), backdrop: rgb(240, 226, 206), width: 0.44, height: 0.52, jaw: 0.18,
			eyeGap: 0.19, eyeSize: 0.082, browHeight: 0.135, browThick: 0.028, browTilt: -0.20,
			noseLength: 0.15, mouthWidth: 0.19, lipThick: 0.056, style: styleBob, hairline: -0.20,
		},
	}
}

func tomasz() Person {
	return Person{
		ID: "tomasz.nowak", Account: "tomasz.nowak@example.org", AccountID: "cb301bed-63b5-49dd-88cd-ac3b8a1d86ba",
		DirectoryGivenName: "Tomasz", DirectoryFamilyName: "Nowak",
		GivenName: "Tomasz", FamilyName: "Nowak", Birthdate: "1992-06-27",
		DocumentType: "identity_card", DocumentNumber: "PL7731846",
		Groups: []string{"pilot"}, Light: Good,
		Meets: "Is in the pilot group: everything is checked and evaluated, and no pass is issued.",
		face: face{
			skin: rgb(238, 200, 174), hair: rgb(128, 72, 40), iris: rgb(84, 128, 96), lips: rgb(190, 120, 108),
			cloth: rgb(70, 84, 66), backdrop: rgb(206, 214, 204), width: 0.42, height: 0.57, jaw: 0.10,
			eyeGap: 0.165, eyeSize: 0.062, browHeight: 0.095, browThick: 0.036, browTilt: 0.06,
			noseLength: 0.21, mouthWidth: 0.17, lipThick: 0.030, style: styleShort, hairline: -0.34, beard: true,
		},
	}
}

func jon() Person {
	return Person{
		ID: "jon.bell", Account: "jon.bell@example.org", AccountID: "0972cedb-783d-4ba7-b116-1b32e61acff5",
		DirectoryGivenName: "Jon", DirectoryFamilyName: "Bell",
		GivenName: "Jonathan", FamilyName: "Bell", Birthdate: "1985-01-19",
		DocumentType: "driving_licence", DocumentNumber: "GB5520981",
		Groups: []string{"employees"}, Light: Good,
		Meets: "Is refused: the directory says Jon and the document says Jonathan.",
		face: face{
			skin: rgb(188, 132, 96), hair: rgb(40, 30, 28), iris: rgb(60, 42, 30), lips: rgb(150, 88, 78),
			cloth: rgb(228, 228, 230), backdrop: rgb(148, 172, 190), width: 0.39, height: 0.53, jaw: 0.12,
			eyeGap: 0.18, eyeSize: 0.066, browHeight: 0.115, browThick: 0.030, browTilt: 0.0,
			noseLength: 0.18, mouthWidth: 0.20, lipThick: 0.046, style: styleReceding, hairline: -0.42, glasses: true,
		},
	}
}

func priya() Person {
	return Person{
		ID: "priya.raman", Account: "priya.raman@example.org", AccountID: "0a518ecb-bc6d-40d6-bfb1-6bea3ef5a112",
		DirectoryGivenName: "Priya", DirectoryFamilyName: "Raman",
		GivenName: "Priya", FamilyName: "Raman", Birthdate: "1994-09-08",
		DocumentType: "passport", DocumentNumber: "IN3361772",
		Groups: []string{"employees"}, Light: Poor,
		Meets: "Is refused: her selfie is taken in poor light and the Face Check stays below the threshold.",
		face: face{
			skin: rgb(176, 118, 78), hair: rgb(26, 20, 24), iris: rgb(50, 32, 22), lips: rgb(160, 62, 74),
			cloth: rgb(214, 142, 44), backdrop: rgb(226, 232, 226), width: 0.37, height: 0.54, jaw: 0.34,
			eyeGap: 0.17, eyeSize: 0.088, browHeight: 0.14, browThick: 0.024, browTilt: -0.10,
			noseLength: 0.16, mouthWidth: 0.16, lipThick: 0.050, style: styleBun, hairline: -0.26,
		},
	}
}

func grace() Person {
	return Person{
		ID: "grace.okafor", Account: "grace.okafor@example.org", AccountID: "beee5514-e71a-4951-af66-44ef9a5088ce",
		DirectoryGivenName: "Grace", DirectoryFamilyName: "Okafor",
		GivenName: "Grace", FamilyName: "Okafor", Birthdate: "1971-05-30",
		DocumentType: "passport", DocumentNumber: "NG9045518",
		Groups: []string{"executives"}, Light: Good,
		Meets: "Is excluded: executives recover with a human in the loop, not here.",
		face: face{
			skin: rgb(112, 72, 50), hair: rgb(34, 26, 26), iris: rgb(40, 26, 20), lips: rgb(142, 58, 64),
			cloth: rgb(110, 60, 130), backdrop: rgb(236, 218, 188), width: 0.43, height: 0.54, jaw: 0.22,
			eyeGap: 0.185, eyeSize: 0.078, browHeight: 0.12, browThick: 0.026, browTilt: -0.16,
			noseLength: 0.15, mouthWidth: 0.20, lipThick: 0.066, style: styleCurly, hairline: -0.24,
		},
	}
}

func lena() Person {
	return Person{
		ID: "lena.fischer", Account: "lena.fischer@example.org", AccountID: "1f06092a-eaaf-4fdd-8928-e984ad6d69a2",
		DirectoryGivenName: "Lena", DirectoryFamilyName: "Fischer",
		GivenName: "Lena", FamilyName: "Fischer", Birthdate: "1990-12-11",
		DocumentType: "identity_card", DocumentNumber: "DE6619403",
		Groups: []string{"employees"}, Light: Good, Reported: true,
		Meets: "Is refused: her document was reported lost, so its Verified ID is revoked.",
		face: face{
			skin: rgb(250, 224, 208), hair: rgb(140, 46, 30), iris: rgb(96, 142, 120), lips: rgb(206, 110, 104),
			cloth: rgb(52, 120, 104), backdrop: rgb(222, 214, 232), width: 0.41, height: 0.50, jaw: 0.26,
			eyeGap: 0.20, eyeSize: 0.080, browHeight: 0.11, browThick: 0.020, browTilt: 0.02,
			noseLength: 0.14, mouthWidth: 0.14, lipThick: 0.038, style: styleFringe, hairline: -0.14, glasses: true,
		},
	}
}
