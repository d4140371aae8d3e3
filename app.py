"""The page: `streamlit run app.py`, or `pitch app`. Everything is in `analyzer.page`."""

from analyzer.page import main

main()
