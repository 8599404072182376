"""`billing-reports page`: what finance asks at month's end, as one HTML file without a network, from the views."""
