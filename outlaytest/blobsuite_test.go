package outlaytest_test

import (
	"testing"

	"outlay/outlaytest"
)

// The suite holds against Microsoft's emulator, with both ways to sign in.
func TestAzurite(t *testing.T) {
	byKey, byToken := outlaytest.Azurite(t)
	t.Run("Key", func(t *testing.T) { outlaytest.Blob(t, byKey) })
	t.Run("Token", func(t *testing.T) { outlaytest.Blob(t, byToken) })
}
