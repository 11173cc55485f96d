package aws

import (
	"outlay"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
)

// Identity is this server's own AWS identity, for Options.Ambient: kind "" is none, "keys" an access key that the
// operator gives, "instance" the role of the EC2 instance that the server runs on. It is chosen by the operator at
// start, never by a person in a form (clouds.md §8).
func Identity(kind, keyID string, secret outlay.Secret) (sdk.CredentialsProvider, error) {
	switch kind {
	case "":
		return nil, nil
	case "keys":
		if keyID == "" || secret.Empty() {
			return nil, outlay.Errorf(outlay.CodeInvalid, "Set OUTLAY_AWS_ACCESS_KEY_ID and OUTLAY_AWS_SECRET_ACCESS_KEY.", "the server's AWS identity is 'keys', and the keys are missing")
		}
		return sdk.NewCredentialsCache(credentials.NewStaticCredentialsProvider(keyID, secret.Reveal(), "")), nil
	case "instance":
		return sdk.NewCredentialsCache(ec2rolecreds.New()), nil
	}
	return nil, outlay.Errorf(outlay.CodeInvalid, "Set OUTLAY_AWS_IDENTITY to keys or instance, or leave it out.", "%q is no kind of AWS identity", kind).InField("OUTLAY_AWS_IDENTITY")
}
