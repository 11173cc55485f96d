package auth

import (
	"slices"
	"strings"
	"unicode/utf8"

	"outlay"
)

const (
	shortestPassword = 8
	longestPassword  = 1024 // bytes: argon2 reads all of them
)

// checkPassword refuses what is guessed first.
func checkPassword(p string) *outlay.Error {
	const fix = "Use at least 8 characters; 15 or more, such as four words, are better."
	switch {
	case utf8.RuneCountInString(p) < shortestPassword:
		return outlay.Errorf(outlay.CodeInvalid, fix, "the password is shorter than %d characters", shortestPassword)
	case len(p) > longestPassword:
		return outlay.Errorf(outlay.CodeInvalid, "Use fewer characters.", "the password is longer than %d bytes", longestPassword)
	case !utf8.ValidString(p):
		return outlay.Errorf(outlay.CodeInvalid, "Type it again.", "the password is not text")
	case common(p):
		return outlay.Errorf(outlay.CodeInvalid, fix, "the password is one of those that are tried first")
	}
	return nil
}

// common tells whether a password, without its capitals and a tail of digits and signs, is a known one, a run along
// the keyboard or the alphabet, or one short piece repeated.
func common(p string) bool {
	low := strings.ToLower(p)
	stem := strings.TrimRight(low, "0123456789!?.,#$%&*+-_ ")
	return slices.Contains(refused(), low) || len(stem) > 3 && slices.Contains(refused(), stem) || run(low) || repeated(low)
}

func run(p string) bool {
	const rows = "01234567890 abcdefghijklmnopqrstuvwxyz qwertyuiop asdfghjkl zxcvbnm 1qaz2wsx3edc4rfv5tgb"
	back := []rune(p)
	slices.Reverse(back)
	return strings.Contains(rows, p) || strings.Contains(rows, string(back))
}

// repeated tells whether p is a piece of up to four bytes over and over.
func repeated(p string) bool {
	for n := 1; n <= 4 && n < len(p); n++ {
		if p == strings.Repeat(p[:n], len(p)/n)+p[:len(p)%n] {
			return true
		}
	}
	return false
}

// refused are words that lead every list of stolen passwords, and ours.
func refused() []string {
	return strings.Fields(`password passw0rd p@ssword p@ssw0rd pa55word passwort motdepasse contrasena administrator admin adminadmin root toor letmein welcome
		welcometo iloveyou sunshine princess football baseball superman batman starwars trustno1 whatever dragon monkey shadow master michael jennifer jordan
		charlie computer internet samsung facebook linkedin changeme change-me changeit default secret secretsecret qwertyuiop qwerty qwerty123
		1q2w3e4r 1q2w3e4r5t q1w2e3r4 q1w2e3r4t5 zaq12wsx abcd1234 abc123 a1b2c3d4 asdfasdf test testtest test1234 guest guestguest temp temporary hello
		helloworld summer winter spring autumn january monday freedom liverpool arsenal chelsea pokemon naruto minecraft mustang corvette
		access access14 ninja killer hunter hunter2 hannah jessica ashley outlay outlayoutlay`)
}
