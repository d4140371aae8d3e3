"""The page, for `streamlit run app.py`; everything about it is in `analyzer.page`."""

from analyzer.page import main

main()
